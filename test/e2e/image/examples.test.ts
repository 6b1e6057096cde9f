import { describeExample, nodePnpm, rubyRack } from '../../support/cli/example-suite.ts';

// The matrix tier has the others, which take several times as long: jlink.test.ts is of the one for the JVM, and
// sbt-packager.test.ts is of sbt.
describeExample(nodePnpm, { again: true });
describeExample(rubyRack, { again: true });
