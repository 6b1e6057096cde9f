import { describeSync } from '../../../support/remote-engines/generation-sync.ts';

describeSync(['docker 26, containerd store', 'podman 5.4']);
