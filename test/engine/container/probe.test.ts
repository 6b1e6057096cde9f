import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { EngineClient } from '../../../src/engine/client/client.ts';
import { parseTime, verifyMount } from '../../../src/engine/container/probe.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { FakeEngine } from '../../support/engines/fake-engine.ts';

const workspace = mkdtempSync(join(tmpdir(), 'gbuild-probe-'));
const file = join(workspace, 'a');
let fake: FakeEngine;
let client: EngineClient;
let id: string;

beforeEach(async () => {
  fake = await FakeEngine.start();
  client = new EngineClient(endpointOf(fake.host), {});
  const HostConfig = { Mounts: [{ Type: 'bind', Source: workspace, Target: '/workspace' }] };
  const { text } = await askEngine(fake.host, 'POST', '/containers/create', {
    json: { Image: fake.image, Cmd: ['true'], HostConfig },
  });
  id = (JSON.parse(text) as { Id: string }).Id;
  writeFileSync(file, 'content');
});
afterEach(async () => {
  client.close();
  await fake[Symbol.asyncDispose]();
});
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

const verify = () =>
  verifyMount(client, id, { hostDir: workspace, containerDir: '/workspace' }, new AbortController().signal);

test('the same folder seen through the container is good, with files, without and when times are old or odd', async () => {
  await verify();
  utimesSync(file, 1, 1.000_001);
  await verify();
  rmSync(file);
  await verify();
});

test('a file system between that keeps whole seconds or microseconds only is good', async () => {
  for (const unit of [1_000n, 1_000_000_000n]) {
    fake.faults.coarse = unit;
    await verify();
  }
});

test('a folder that others write to at the same time is good', async () => {
  fake.faults.beforeStat = () => writeFileSync(join(workspace, `new-${Math.random()}`), 'x');
  await verify();
});

test('a file of another size is another folder', async () => {
  const { mtime, atime } = statSync(file);
  fake.faults.beforeStat = () => {};
  fake.faults.sizeOffset = 1;
  utimesSync(file, atime, mtime);
  await expect(verify()).rejects.toMatchObject({ code: 'engine-blind' });
});

test.each([
  ['1970-01-01T00:00:01Z', 1_000_000_000n],
  ['1970-01-01T00:00:01.5Z', 1_500_000_000n],
  ['1970-01-01T02:00:00.000000001+02:00', 1n],
  ['1969-12-31T23:59:59.25Z', -750_000_000n],
  ['yesterday', -1n],
])('the time %s is %i nanoseconds', (text, time) => {
  expect(parseTime(text)).toBe(time);
});
