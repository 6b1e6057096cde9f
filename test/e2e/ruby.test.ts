import { describeRuby } from '../support/ruby-suite.ts';

describeRuby(['3.1']);
