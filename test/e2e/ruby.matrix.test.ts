import { describeRuby } from '../support/ruby-suite.ts';

describeRuby(['2.7', '3.3']);
