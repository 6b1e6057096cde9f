import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

test('the service answers GET and HEAD with 200', async () => {
  const child = spawn(process.execPath, ['server.js'], { env: { ...process.env, PORT: '18080', GREETING: 'moin' } });
  try {
    const url = 'http://127.0.0.1:18080/health';
    let answer;
    for (let tries = 0; answer === undefined && tries < 100; tries += 1) {
      answer = await fetch(url).catch(() => undefined);
      if (answer === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual(await answer.json(), { greeting: 'moin' });
    assert.equal((await fetch(url, { method: 'HEAD' })).status, 200);
  } finally {
    child.kill();
    await once(child, 'exit');
  }
});
