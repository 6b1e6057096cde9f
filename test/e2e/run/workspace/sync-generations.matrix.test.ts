import { describeSync } from '../../../support/remote-engines/generation-sync.ts';

describeSync(['docker 28, containerd store', 'podman 5.8', 'podman 5.4, rootless']);
