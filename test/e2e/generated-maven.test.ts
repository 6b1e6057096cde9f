import { drawMavenRepositories } from '../support/generated-maven.ts';
import { describeGenerated } from '../support/generated-suite.ts';

// The matrix tier draws more.
describeGenerated(1, drawMavenRepositories);
