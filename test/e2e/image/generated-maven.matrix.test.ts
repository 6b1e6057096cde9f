import { drawMavenRepositories } from '../../support/generated/generated-maven.ts';
import { describeGenerated } from '../../support/generated/generated-suite.ts';

describeGenerated(10, drawMavenRepositories);
