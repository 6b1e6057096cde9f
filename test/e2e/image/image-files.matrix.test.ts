import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { openCli } from '../../support/cli/cli.ts';
import { importImage, inspectImage, removeRepository } from '../../support/engines/engine-images.ts';

const engine = inject('engineHost');
const name = `e2e-large-${process.pid}`;
const cli = openCli({ engine });

beforeAll(() => importImage(engine, `${name}-base:1`, { here: 'a base' }));
afterAll(async () => {
  for (const repository of [name, `${name}-base`]) await removeRepository(engine, repository);
  cli[Symbol.dispose]();
});

test('a file of 2 GiB and a byte goes through memory that stays flat', async () => {
  const rootDir = cli.repository(name, {
    'gbuild.yml': `gbuild: 1\nname: ${name}\ntoolchain: ${name}-base:1\nimage:\n  entrypoint: [sh]\n  layers: [{name: files, from: [files]}]\n`,
  });
  mkdirSync(join(rootDir, 'files'));
  const size = 2 ** 31 + 1;
  writeFileSync(join(rootDir, 'files/large.bin'), 'begin');
  truncateSync(join(rootDir, 'files/large.bin'), size);
  const child = cli.start(['image', '--json'], { cwd: rootDir });
  const peak = watchPeak(child.pid);
  const { exitCode, stdout, stderr } = await child.ended;
  expect(exitCode, stderr).toBe(0);
  const record = JSON.parse(stdout) as ImageRecord;
  expect(record.size).toBeGreaterThan(size);
  expect((await inspectImage(engine, record.reference))?.Id).toBe(record.imageId);
  expect(await peak).toBeLessThan(400e6);
}, 300_000);

/** The most memory a process has had resident, in bytes, until it ended. */
async function watchPeak(pid: number): Promise<number> {
  for (let peak = 0; ; await sleep(50)) {
    try {
      peak =
        Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? peak / 1024) * 1024;
    } catch {
      return peak;
    }
  }
}
