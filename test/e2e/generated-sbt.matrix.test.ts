import { drawSbtRepositories } from '../support/generated-sbt.ts';
import { describeGenerated } from '../support/generated-suite.ts';

describeGenerated(4, drawSbtRepositories);
