import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer } from '../src/app.js';

test('the greeting says the version and the time up', () => {
  const { status, body } = answer('/', { version: '1.2.3', uptime: 120_000 });
  assert.equal(status, 200);
  assert.deepEqual(body, { hello: 'world', version: '1.2.3', up: '2 minutes' });
});

test('an unknown path is not found', () => {
  assert.equal(answer('/nowhere', { version: '1.2.3', uptime: 0 }).status, 404);
});
