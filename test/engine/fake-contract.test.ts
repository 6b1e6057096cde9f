import { describeEngine } from '../support/engine-suite.ts';
import { FakeEngine } from '../support/fake-engine.ts';

describeEngine('the fake engine', () => FakeEngine.start());
