import { drawSbtRepositories } from '../../support/generated/generated-sbt.ts';
import { describeGenerated } from '../../support/generated/generated-suite.ts';

describeGenerated(4, drawSbtRepositories);
