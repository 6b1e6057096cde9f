import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import semver from 'semver';

const server = fileURLToPath(new URL('../dist/server.js', import.meta.url));

test('the built server answers with its version and ends at SIGTERM', async () => {
  const child = spawn(process.execPath, [server], { env: { ...process.env, PORT: '0' } });
  try {
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
    const port = /port (\d+)/.exec(line)?.[1];
    const response = await fetch(`http://127.0.0.1:${port}/`);
    const body = await response.json();
    assert.equal(response.status, 200);
    assert.ok(semver.valid(body.version));
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  } finally {
    child.kill('SIGKILL');
  }
});
