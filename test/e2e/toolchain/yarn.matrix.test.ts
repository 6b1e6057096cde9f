import { classicYarn, describeYarn } from '../../support/toolchains/yarn-suite.ts';

describeYarn(classicYarn);
