import { describeRuns } from '../../support/remote-engines/generation-runs.ts';

describeRuns(['docker 26, containerd store', 'podman 5.4']);
