import { describeRuby } from '../../support/toolchains/ruby-suite.ts';

describeRuby(['2.7', '3.3']);
