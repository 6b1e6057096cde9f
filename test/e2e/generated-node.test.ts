import { describeGeneratedNode } from '../support/generated-node-suite.ts';

// The matrix tier draws dozens.
describeGeneratedNode(3);
