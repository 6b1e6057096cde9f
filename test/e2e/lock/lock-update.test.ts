import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { tinySpec, tinyToolchain } from '../../support/toolchains/tiny-toolchain.ts';

const engine = inject('engineHost');
const cli = openCli({ engine });
const name = `tiny${process.pid}`;
afterAll(async () => {
  await removeRepository(engine, `gbuild/${name}`);
  await removeRepository(engine, 'e2e-tiny');
  cli[Symbol.dispose]();
});
const readLock = (cwd: string) => readFileSync(join(cwd, 'gbuild.lock'), 'utf8');

test('gbuild.lock is written anew by --update, with images made of the packages of today', async () => {
  const tiny = tinyToolchain(name, 'echo tiny $(cat /proc/sys/kernel/random/uuid)');
  const cwd = cli.repository('lock-update', { 'gbuild.yml': tinySpec(name), 'tiny.txt': 'a text\n', ...tiny });
  // What differs each time it is made: as a mirror that has moved on.
  const file = join(cwd, `toolchains/${name}/Dockerfile`);
  writeFileSync(file, readFileSync(file, 'utf8').replace('RUN ', 'RUN cat /proc/sys/kernel/random/uuid > /made && '));
  expect((await cli.run(['lock'], { cwd })).exitCode).toBe(0);
  let before = readLock(cwd);
  expect((await cli.run(['lock'], { cwd })).exitCode).toBe(0);
  expect(readLock(cwd)).toBe(before);
  const wrong = await cli.run(['lock', '--update', 'node'], { cwd });
  expect([wrong.exitCode, wrong.stderr.split('\n')[0]]).toEqual([
    2,
    `error: this repository builds in ${name}, not in node`,
  ]);
  const update = async () => {
    const { exitCode, stderr } = await cli.run(['lock', '--update', name], { cwd });
    expect(exitCode, stderr).toBe(0);
  };
  const build = (lock: string) => /^ {6}build: (\S+)/m.exec(lock)?.[1];
  const runtime = (lock: string) => /^ {6}runtime: (\S+)/m.exec(lock)?.[1];
  await update();
  if (runtime(readLock(cwd)) !== runtime(before)) {
    // This engine had kept a base of an earlier day, and packages have moved on since.
    before = readLock(cwd);
    await update();
  }
  expect(build(readLock(cwd))).not.toBe(build(before));
  expect(runtime(readLock(cwd))).toBe(runtime(before));
});
