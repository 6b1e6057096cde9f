import { describeSpecProperties } from './properties.ts';

describeSpecProperties(600);
