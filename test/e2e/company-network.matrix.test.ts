import { describeCompanyNetwork } from '../support/company-network-suite.ts';

describeCompanyNetwork({ made: ['examples/jvm-maven', 'examples/sbt-hello'], kept: [] });
