import { describeRuby } from '../../support/toolchains/ruby-suite.ts';

describeRuby(['3.1']);
