import { allLies, describeEngineLies, pairLies } from '../../support/engines/lying-engine-suite.ts';

// Every lie at every request takes half an hour, and is there for whoever changes how an engine is spoken to.
describeEngineLies(process.env.GBUILD_TEST_FULL === '1' ? allLies : pairLies());
