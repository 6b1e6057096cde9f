import { allLies, describeEngineLies } from '../support/lying-engine-suite.ts';

describeEngineLies(allLies);
