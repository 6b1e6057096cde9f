import { describePages } from '../../support/cli/doc-suite.ts';

describePages('matrix');
