import { describeVendoredGems } from '../support/jruby-suite.ts';

describeVendoredGems('9.4');
describeVendoredGems('10');
