import { drawNodeRepositories } from '../../support/generated/generated-node.ts';
import { describeGenerated } from '../../support/generated/generated-suite.ts';

describeGenerated(20, drawNodeRepositories);
