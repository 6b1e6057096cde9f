import { describeGeneratedPlans } from '../support/generated-plans-suite.ts';

describeGeneratedPlans(1000);
