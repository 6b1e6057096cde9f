import { describeInstalled } from '../../support/cli/package-suite.ts';

describeInstalled('24.21.0');
describeInstalled('26.10.0');
