import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { openCli } from '../../support/cli/cli.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: inject('baseImage') });
const name = `e2e-lock-once-${process.pid}`;
afterAll(async () => {
  await removeRepository(engine, name);
  cli[Symbol.dispose]();
});

test('the first image of a repository says once that it is locked, and its label names that lock', async () => {
  const image = 'image:\n  entrypoint: [cat]\n  layers: [{name: a, from: [a], to: /app}]\n';
  const cwd = cli.tasks(name, `tasks:\n  build: "true"\n${image}`, { a: 'a\n', '.gitignore': 'gbuild.lock\n' });
  const first = await cli.run(['image', '--json'], { cwd });
  const lock = readFileSync(join(cwd, 'gbuild.lock'));
  expect(first.stderr.match(/written to gbuild\.lock/g), first.stderr).toHaveLength(1);
  const second = await cli.run(['image', '--json'], { cwd });
  const [made, again] = [first, second].map(({ stdout }) => JSON.parse(stdout));
  expect(again.imageId).toBe(made.imageId);
  const inspected = await cli.run(['inspect', made.reference, '--json'], { cwd });
  expect(inspected.stdout).toContain(digestOf(lock));
  writeFileSync(join(cwd, 'gbuild.lock'), lock.toString().replace(/request: .*/, 'request: other:1'));
  const anew = await cli.run(['run', 'build'], { cwd });
  expect(cli.plain(anew.stderr)).toMatch(/^gbuild\.lock is written again: it is for "other:1", the spec asks for "/);
});
