import { describeGeneratedPlans } from '../../support/generated/generated-plans-suite.ts';

describeGeneratedPlans(1000);
