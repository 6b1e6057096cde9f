import { describeGeneration } from '../../support/engines/generation-suite.ts';

describeGeneration('docker 26');
describeGeneration('docker 28');
describeGeneration('docker 28, containerd store');
describeGeneration('podman 5.4, rootless');
describeGeneration('podman 5.8');
