import { describeInstalled } from '../support/package-suite.ts';

describeInstalled('24.21.0');
