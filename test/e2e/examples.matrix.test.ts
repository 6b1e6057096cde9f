import { describeExample, jvmMaven, sbtHello } from '../support/example-suite.ts';

describeExample(jvmMaven, { again: true });
describeExample(sbtHello, { again: true });
