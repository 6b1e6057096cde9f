import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type FarEngine, openFarEngine } from '../../../support/remote-engines/far-engine.ts';

let cli: FarEngine['cli'];
let opened: FarEngine;
beforeAll(async () => {
  opened = await openFarEngine(inject('engineHost'), { toolchain: inject('baseImage') });
  ({ cli } = opened);
});
afterAll(() => opened[Symbol.asyncDispose]());

/** Requests of a run that change or look at the workspace there, by what they ask for. */
async function ask(cwd: string, ...args: string[]) {
  const { stdout, stderr } = await cli.run(args, { cwd, env: { DEBUG: 'gbuild:engine' } });
  return { stdout, stderr, starts: [...stderr.matchAll(/POST \S+\/start$|is up to date|is sent there/gm)].map(String) };
}

describe('a volume that is as it was left', () => {
  test('is not listed before the tasks run: its holder starts no sooner than they', async () => {
    const cwd = cli.tasks('stamp-kept', 'tasks:\n  test: cat a\n', { a: 'one\n' });
    await cli.run(['test'], { cwd });
    writeFileSync(join(cwd, 'a'), 'two\n');
    const { stdout, starts } = await ask(cwd, 'test');
    expect([stdout, starts[0]]).toEqual(['two\n', 'is sent there']);
  });

  test.each(['another', 'an older'])('is known no more to %s memory when a run there was killed', async (which) => {
    const body = "tasks:\n  look: cat a\n  spoil: 'echo spoilt > a; echo ready; while :; do sleep 1; done'\n";
    const cwd = cli.tasks('stamp-stale', body, { a: 'one\n' });
    const memories = join(cli.dir, `memory of ${which}`);
    const env = { XDG_CACHE_HOME: memories };
    await cli.run(['run', 'look'], { cwd, env });
    cpSync(memories, `${memories}, kept`, { recursive: true });
    const elsewhere = { XDG_CACHE_HOME: which === 'another' ? join(cli.dir, 'other memory') : memories };
    const killed = cli.start(['run', 'spoil'], { cwd, env: elsewhere });
    await killed.until('ready\n');
    killed.kill('SIGKILL');
    await killed.ended;
    rmSync(memories, { recursive: true });
    cpSync(`${memories}, kept`, memories, { recursive: true });
    expect((await cli.run(['run', 'look'], { cwd, env })).stdout).toBe('one\n');
    expect(readFileSync(join(cwd, 'a'), 'utf8')).toBe('one\n');
  });

  test('is known no more when it was removed and made anew', async () => {
    const cwd = cli.tasks('stamp-lost', 'tasks:\n  test: cat a\n', { a: 'one\n' });
    await cli.run(['test'], { cwd });
    await cli.run(['cache', 'rm', 'workspace'], { cwd });
    expect((await cli.run(['test'], { cwd })).stdout).toBe('one\n');
  });
});

test('what git ignores no more goes from a volume that is as it was left, and stays while it is ignored', async () => {
  const body = 'tasks:\n  make: mkdir -p out; echo made > out/o\n  look: ls\n';
  const cwd = cli.tasks('stamp-ignored', body, { '.gitignore': 'out\ngbuild.lock\n' });
  await cli.run(['run', 'make'], { cwd });
  expect((await cli.run(['run', 'look'], { cwd })).stdout).toBe('gbuild.yml\nout\n');
  rmSync(join(cwd, '.gitignore'));
  expect((await cli.run(['run', 'look'], { cwd })).stdout).toBe('gbuild.lock\ngbuild.yml\n');
});

test('trees that a task moves about, with times as old as they were, come back as they are there', async () => {
  const script = `|
    mv a swap; mv b a; mv swap b; mv deep/er/down .; rm -r gone; touch -d @1000000000 c; printf 3 > d
    touch -d @1000000000 d; ln c hard; rm e; mkdir e; cp -p c e/c; cp -p d e/d
`;
  const cwd = cli.tasks(
    'stamp-moved',
    `tasks:\n  test: "true"\n  move: ${script}  look: "find . -path ./.git -prune -o -type f -exec head -v {} +"\n`,
    {
      'a/x/f': 'a\n',
      'b/x/f': 'b\n',
      'deep/er/down/in/f': 'deep\n',
      'gone/in/f': 'gone\n',
      c: 'c\n',
      d: '1\n',
      e: 'file\n',
    },
  );
  await cli.run(['test'], { cwd });
  // What is older than some seconds is not looked at for its time alone.
  await sleep(5_000);
  const { exitCode, stderr } = await cli.run(['run', 'move'], { cwd });
  const read = (name: string) => readFileSync(join(cwd, name), 'utf8');
  const here = ['a/x/f', 'b/x/f', 'down/in/f', 'c', 'd', 'hard', 'e/c', 'e/d'].map(read);
  expect([exitCode, here], stderr).toEqual([0, ['b\n', 'a\n', 'deep\n', 'c\n', '3', 'c\n', 'c\n', '3']]);
  const { stdout, stderr: said } = await cli.run(['run', 'look'], { cwd });
  expect(stdout, said).not.toMatch(/==> .\/(gone|deep\/er\/down)/);
  expect(said).toContain('the copy of the workspace there is up to date');
});
