import { describeExample, jvmMaven, sbtHello } from '../../support/cli/example-suite.ts';

describeExample(jvmMaven, { again: true });
describeExample(sbtHello, { again: true });
