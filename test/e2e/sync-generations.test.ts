import { describeSync } from '../support/generation-sync.ts';

describeSync(['docker 26, containerd store', 'podman 5.4']);
