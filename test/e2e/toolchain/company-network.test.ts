import { describeCompanyNetwork } from '../../support/network/company-network-suite.ts';

// That a toolchain is made behind the proxy takes minutes: company-network.matrix.test.ts.
describeCompanyNetwork({ made: [], kept: ['examples/node-pnpm', 'examples/jvm-maven'] });
