import { strict as assert } from 'node:assert';
import { test } from 'node:test';

const ask = async () => (await fetch('http://counter:8080/')).json();

test('the counter is reached by its name, and counts', async () => {
  const { count } = await ask();
  assert.deepEqual(await ask(), { count: count + 1 });
});
