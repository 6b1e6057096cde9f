import { berryYarn, describeYarn } from '../../support/toolchains/yarn-suite.ts';

describeYarn(berryYarn);
