import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { server } from '../src/server.js';

test('the server greets over HTTP', async () => {
  server.listen(0);
  await once(server, 'listening');
  try {
    const answer = await fetch(`http://127.0.0.1:${server.address().port}/`);
    assert.equal((await answer.json()).hello, 'pnpm');
  } finally {
    server.close();
  }
});
