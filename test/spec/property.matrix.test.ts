import { describeSpecProperties } from './properties.ts';

describeSpecProperties(30_000);
