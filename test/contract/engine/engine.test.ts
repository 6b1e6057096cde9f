import { inject } from 'vitest';
import { describeEngine } from '../../support/engines/engine-suite.ts';

describeEngine('a real engine', async () => ({
  host: inject('engineHost'),
  image: inject('baseImage'),
  async [Symbol.asyncDispose]() {},
}));
