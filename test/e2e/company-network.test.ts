import { describeCompanyNetwork } from '../support/company-network-suite.ts';

// quickstart-machine.test.ts makes a toolchain behind such a proxy.
describeCompanyNetwork({ made: [], kept: ['examples/node-pnpm', 'examples/jvm-maven', 'examples/sbt-hello'] });
