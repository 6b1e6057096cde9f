import { describeRegistryLies } from '../support/lying-registry-suite.ts';

describeRegistryLies(() => true);
