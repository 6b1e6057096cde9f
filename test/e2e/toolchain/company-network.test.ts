import { describeCompanyNetwork } from '../../support/network/company-network-suite.ts';

describeCompanyNetwork({ made: ['examples/node-pnpm'], kept: ['examples/jvm-maven'], lean: true });
