import { describeJlink } from '../../support/toolchains/jlink-suite.ts';

describeJlink('25');
