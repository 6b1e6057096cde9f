import { describePushFaults } from '../support/push-fault-suite.ts';

describePushFaults(() => true);
