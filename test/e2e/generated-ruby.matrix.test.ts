import { drawRubyRepositories } from '../support/generated-ruby.ts';
import { describeGenerated } from '../support/generated-suite.ts';

describeGenerated(16, drawRubyRepositories);
