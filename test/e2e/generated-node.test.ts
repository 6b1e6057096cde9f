import { drawNodeRepositories } from '../support/generated-node.ts';
import { describeGenerated } from '../support/generated-suite.ts';

// The matrix tier draws dozens.
describeGenerated(2, drawNodeRepositories);
