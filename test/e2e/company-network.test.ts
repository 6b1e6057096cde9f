import { describeCompanyNetwork } from '../support/company-network-suite.ts';

describeCompanyNetwork({ made: ['examples/node-pnpm'], kept: ['examples/jvm-maven'], lean: true });
