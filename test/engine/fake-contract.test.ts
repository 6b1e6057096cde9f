import { describeEngine } from '../support/engines/engine-suite.ts';
import { FakeEngine } from '../support/engines/fake-engine.ts';

describeEngine('the fake engine', () => FakeEngine.start());
