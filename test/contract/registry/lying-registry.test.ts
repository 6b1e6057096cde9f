import { describeRegistryLies } from '../../support/registry/lying-registry-suite.ts';

// Every request meets one lie, another one with each turn; the matrix tier tells them all.
describeRegistryLies((lie, request) => request % 16 === lie);
