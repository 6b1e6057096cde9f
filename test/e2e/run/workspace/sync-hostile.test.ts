import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type FarEngine, listTree, openFarEngine } from '../../../support/remote-engines/far-engine.ts';

let cli: FarEngine['cli'];
let opened: FarEngine;
beforeAll(async () => {
  opened = await openFarEngine(inject('engineHost'), { toolchain: inject('baseImage') });
  ({ cli } = opened);
});
afterAll(() => opened[Symbol.asyncDispose]());

const run = (cwd: string, ...args: string[]) => cli.run(args, { cwd });

describe('what tasks change there comes back', () => {
  test('but never over what was edited here meanwhile, which is named', async () => {
    const cwd = cli.tasks('sync-meanwhile', 'tasks:\n  look: cat both made\n', { both: 'one\n', same: 'one\n' });
    writeFileSync(join(cwd, 'gone'), 'x\n');
    const running = cli.start(['shell'], { cwd, input: 'open' });
    running.type('echo there >> both; echo there >> same; echo new > made; rm gone; echo ready\n');
    await running.until('ready\n');
    writeFileSync(join(cwd, 'both'), 'mine\n');
    writeFileSync(join(cwd, 'same'), 'one\nthere\n');
    writeFileSync(join(cwd, 'made'), 'mine, too\n');
    writeFileSync(join(cwd, 'gone'), 'edited\n');
    running.type('exit\n');
    const { stderr } = await running.ended;
    const named = [...stderr.matchAll(/so it was not overwritten: (.*)/g)].map(([, name]) => name).sort();
    const read = (name: string) => readFileSync(join(cwd, name), 'utf8');
    expect([named, read('both'), read('made'), read('gone'), read('same')]).toEqual([
      ['both', 'gone', 'made'],
      'mine\n',
      'mine, too\n',
      'edited\n',
      'one\nthere\n',
    ]);
    // And the next run has them.
    expect((await run(cwd, 'run', 'look')).stdout).toBe('mine\nmine, too\n');
  });

  test('but never as a device, a pipe, a link out or a set-id file, and git hooks stay what they are', async () => {
    const script = `|
    mkfifo pipe; ln -s /etc/passwd absolute; ln -s ../../outside up; mkdir -p d/e; ln -s ../.. d/e/top
    ln -s d/e/top/../x sly; ln -s ../inside d/fine; echo s > setid; chmod 6755 setid; printf 'x' > "$(printf 'bad\\377name')"
    mkdir -p .git/hooks; echo evil > .git/hooks/post-commit; echo good > inside; ln inside second
`;
    const cwd = cli.tasks('sync-hostile', `tasks:\n  test: ${script}`);
    const { exitCode, stderr } = await run(cwd, 'test');
    expect(exitCode, stderr).toBe(0);
    const refused = [...stderr.matchAll(/not brought back from the engine: "?([^:"]*)/g)]
      .map(([, name]) => name)
      .sort();
    expect(refused).toEqual(['absolute', 'bad\ufffdname', 'pipe', 'setid', 'sly', 'up']);
    expect(listTree(cwd).filter((line) => !line.startsWith('gbuild.yml'))).toEqual([
      'd/ 755',
      'd/e/ 755',
      'd/e/top -> ../..',
      'd/fine -> ../inside',
      'inside 644 5',
      'second 644 5',
      'setid 755 2',
    ]);
    expect(existsSync(join(cwd, '.git/hooks/post-commit'))).toBe(false);
  });

  test('but under folders of this side only: a link that stands in their place is not followed', async () => {
    const cwd = cli.tasks('sync-through', 'tasks: {}\n', { 'real/a': 'a\n' });
    const outside = join(cli.dir, 'sync-outside');
    mkdirSync(outside);
    const running = cli.start(['shell'], { cwd, input: 'open' });
    running.type('mkdir -p made; echo x > made/x; echo y > real/y; echo ready\n');
    await running.until('ready\n');
    symlinkSync(outside, join(cwd, 'made'));
    rmSync(join(cwd, 'real'), { recursive: true });
    symlinkSync(outside, join(cwd, 'real'));
    running.type('exit\n');
    const { stderr } = await running.ended;
    expect([readdirSync(outside), stderr]).toEqual([[], expect.stringContaining('made/x')]);
  });
});
