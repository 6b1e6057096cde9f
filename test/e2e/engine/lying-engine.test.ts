import { describeEngineLies, sampleLies } from '../../support/engines/lying-engine-suite.ts';

// Each kind of request meets one lie; the matrix tier tells every lie at every request.
describeEngineLies(sampleLies());
