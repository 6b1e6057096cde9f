import { drawRubyRepositories } from '../../support/generated/generated-ruby.ts';
import { describeGenerated } from '../../support/generated/generated-suite.ts';

describeGenerated(16, drawRubyRepositories);
