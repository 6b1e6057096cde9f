import { drawNodeRepositories } from '../support/generated-node.ts';
import { describeGenerated } from '../support/generated-suite.ts';

describeGenerated(20, drawNodeRepositories);
