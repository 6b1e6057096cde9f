import { describeExample, jvmMaven, nodePnpm, rubyRack, sbtHello } from '../support/example-suite.ts';

// What changes with another folder or another application is shown for the JVM by jlink.test.ts, of the same layers.
describeExample(sbtHello, { again: false });
describeExample(jvmMaven, { again: false });
describeExample(nodePnpm, { again: true });
describeExample(rubyRack, { again: true });
