import { describeCompose } from '../../support/deliver/compose-suite.ts';

describeCompose('machine');
