import { drawSbtRepositories } from '../support/generated-sbt.ts';
import { describeGenerated } from '../support/generated-suite.ts';

// Each starts sbt several times, which takes a minute: none is drawn in the standard tier.
describeGenerated(6, drawSbtRepositories);
