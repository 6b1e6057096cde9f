import { describePushFaults } from '../../support/registry/push-fault-suite.ts';

describePushFaults(() => true);
