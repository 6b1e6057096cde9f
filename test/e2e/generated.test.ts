import { drawNodeRepositories } from '../support/generated-node.ts';
import { describeGenerated } from '../support/generated-suite.ts';

// The matrix tier draws dozens, of every toolchain.
describeGenerated(2, drawNodeRepositories);
