import { describeRegistryLies } from '../../support/registry/lying-registry-suite.ts';

describeRegistryLies(() => true);
