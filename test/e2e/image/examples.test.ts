import { describeExample, nodePnpm, rubyRack } from '../../support/cli/example-suite.ts';

// The matrix tier has the others, which take several times as long. Here jvm.test.ts is of the JVM, and sbt-packager.test.ts of sbt.
describeExample(nodePnpm, { again: true });
describeExample(rubyRack, { again: true });
