import { describeCompose } from '../../support/deliver/compose-suite.ts';

// The matrix tier has the old one of bookworm: compose.matrix.test.ts.
describeCompose('trixie');
