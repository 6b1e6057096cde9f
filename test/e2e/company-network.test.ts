import { describeCompanyNetwork } from '../support/company-network-suite.ts';

describeCompanyNetwork({
  made: ['examples/node-pnpm', 'examples/ruby-rack'],
  kept: ['examples/jvm-maven', 'examples/sbt-hello'],
});
