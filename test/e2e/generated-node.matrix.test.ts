import { describeGeneratedNode } from '../support/generated-node-suite.ts';

describeGeneratedNode(36);
