import { describeCompanyNetwork } from '../../support/network/company-network-suite.ts';

describeCompanyNetwork({
  made: ['examples/node-pnpm', 'examples/jvm-maven', 'examples/sbt-hello', 'examples/ruby-rack'],
  kept: [],
});
