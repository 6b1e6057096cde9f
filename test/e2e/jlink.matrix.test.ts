import { describeJlink } from '../support/jlink-suite.ts';

describeJlink('25');
