import { drawMavenRepositories } from '../support/generated-maven.ts';
import { describeGenerated } from '../support/generated-suite.ts';

describeGenerated(10, drawMavenRepositories);
