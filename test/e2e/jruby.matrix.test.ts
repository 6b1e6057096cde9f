import { describeVendoredGems } from '../support/jruby-suite.ts';

describeVendoredGems('10');
