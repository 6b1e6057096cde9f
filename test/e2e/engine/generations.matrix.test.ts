import { describeRuns } from '../../support/remote-engines/generation-runs.ts';

describeRuns(['docker 26', 'docker 28, containerd store', 'podman 5.4, rootless']);
