import assert from 'node:assert/strict';
import { test } from 'node:test';
import isNumber from 'is-number';
import { greet } from '../src/greeting.js';

test('the greeting says how long it has been up', () => {
  assert.deepEqual(greet(2000), { hello: 'pnpm', up: '2 seconds' });
  assert.ok(!isNumber(greet(0).up));
});
