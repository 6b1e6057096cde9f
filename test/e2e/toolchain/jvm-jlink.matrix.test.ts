import { describeJlink } from '../../support/toolchains/jlink-suite.ts';

// In the standard tier examples of Gradle and sbt have a Java runtime of their own.
describeJlink('21');
describeJlink('25');
