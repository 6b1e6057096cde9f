import { describeGeneratedPlans } from '../../support/generated/generated-plans-suite.ts';

// The matrix tier draws thousands.
describeGeneratedPlans(25);
