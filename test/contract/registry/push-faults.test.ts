import { describePushFaults } from '../../support/registry/push-fault-suite.ts';

// Every request meets two kinds of faults, and every kind a fifth of the requests; the matrix tier has them all.
describePushFaults((kind, request) => request % 5 === kind % 5);
