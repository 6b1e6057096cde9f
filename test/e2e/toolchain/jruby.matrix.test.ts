import { describeVendoredGems } from '../../support/toolchains/jruby-suite.ts';

describeVendoredGems('9.4');
describeVendoredGems('10');
