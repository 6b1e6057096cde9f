import { drawRubyRepositories } from '../support/generated-ruby.ts';
import { describeGenerated } from '../support/generated-suite.ts';

// The matrix tier draws dozens.
describeGenerated(2, drawRubyRepositories);
