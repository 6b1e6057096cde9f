import { drawNodeRepositories } from '../../support/generated/generated-node.ts';
import { describeGenerated } from '../../support/generated/generated-suite.ts';

// The matrix tier draws dozens, of every toolchain.
describeGenerated(1, drawNodeRepositories);
