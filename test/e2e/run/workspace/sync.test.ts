import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { commitAll, git } from '../../../support/cli/cli.ts';
import { ensureTestImage, machineImage } from '../../../support/images/base-image.ts';
import {
  type FarEngine,
  flat,
  listTree,
  openFarEngine,
  readSeen,
  showTree,
} from '../../../support/remote-engines/far-engine.ts';

let far: FarEngine['far'];
let cli: FarEngine['cli'];
let opened: FarEngine;
beforeAll(async () => {
  opened = await openFarEngine(inject('engineHost'), { toolchain: inject('baseImage') });
  ({ far, cli } = opened);
});
afterAll(() => opened[Symbol.asyncDispose]());

const run = (cwd: string, ...args: string[]) => cli.run(args, { cwd });

const sentLine = /the workspace is sent there \((\d+ files?), ([^)]*)\)/;

describe('the workspace on an engine that does not see it', () => {
  test('is there as it is here: links, modes, empty folders, names of any kind, and nothing comes back of it', async () => {
    const cwd = cli.tasks('sync-whole', `tasks:\n  test: |\n    ${showTree}\n`, {
      'bin/run': '#!/bin/sh\necho runs\n',
      '-rf': 'a dash\n',
      'ünïcode/日本': 'text\n',
      'line\nbreak': 'a name of two lines\n',
      ':(top)x': 'no magic\n',
      'a b/c*d': 'blank and star\n',
      [`${'long/'.repeat(30)}${'n'.repeat(120)}`]: 'long\n',
      '.gitignore': 'ignored/\n*.o\n',
      'ignored/secret': 'stays\n',
      'src/x.o': 'stays\n',
      'src/x.c': 'goes\n',
    });
    mkdirSync(join(cwd, 'empty/inner'), { recursive: true });
    symlinkSync('bin/run', join(cwd, 'link'));
    symlinkSync('nowhere', join(cwd, 'dangling'));
    writeFileSync(join(cwd, 'untracked'), 'goes, too\n');
    chmodSync(join(cwd, 'untracked'), 0o640);
    writeFileSync(join(cwd, 'bare'), '');
    const here = listTree(cwd);
    const { exitCode, stdout, stderr } = await run(cwd, 'test');
    const isSent = (line: string) => !/^(ignored\/|src\/x\.o)/.test(line);
    expect([exitCode, readSeen(stdout)], stderr).toEqual([0, flat(here.filter(isSent))]);
    expect(stderr).toContain(`the engine at ${far.host} does not see ${cwd}: the workspace is sent there (`);
    expect(listTree(cwd)).toEqual(here);
  });

  test('gets only what has changed in its content: edits, new and deleted files, renames, modes, kinds', async () => {
    const cwd = cli.tasks('sync-changes', `tasks:\n  test: |\n    ${showTree}; cat same edited 2>/dev/null\n`, {
      same: 'same\n',
      edited: 'before\n',
      gone: 'gone\n',
      'old-name': 'renamed\n',
      script: 'echo\n',
      'becomes-folder': 'file\n',
      'becomes-file/inner/deep': 'deep\n',
      'becomes-link': 'file\n',
      'folder/to/go': 'x\n',
    });
    symlinkSync('same', join(cwd, 'link'));
    expect((await run(cwd, 'test')).stderr).toMatch(sentLine);
    expect((await run(cwd, 'test')).stderr).toContain('the copy of the workspace there is up to date');
    // Another time is no other content.
    utimesSync(join(cwd, 'same'), 1, 1);
    expect((await run(cwd, 'test')).stderr).toContain('the copy of the workspace there is up to date');
    writeFileSync(join(cwd, 'edited'), 'after!\n');
    const one = await run(cwd, 'test');
    expect([sentLine.exec(one.stderr)?.slice(1), one.stdout.endsWith('same\nafter!\n')]).toEqual([
      ['1 file', '7 B'],
      true,
    ]);
    rmSync(join(cwd, 'gone'));
    rmSync(join(cwd, 'folder'), { recursive: true });
    renameSync(join(cwd, 'old-name'), join(cwd, 'new-name'));
    chmodSync(join(cwd, 'script'), 0o755);
    rmSync(join(cwd, 'becomes-folder'));
    mkdirSync(join(cwd, 'becomes-folder'));
    writeFileSync(join(cwd, 'becomes-folder/file'), 'x');
    rmSync(join(cwd, 'becomes-file'), { recursive: true });
    writeFileSync(join(cwd, 'becomes-file'), 'x');
    rmSync(join(cwd, 'becomes-link'));
    symlinkSync('script', join(cwd, 'becomes-link'));
    rmSync(join(cwd, 'link'));
    symlinkSync('edited', join(cwd, 'link'));
    const { exitCode, stdout, stderr } = await run(cwd, 'test');
    const there = readSeen(stdout.replace(/same\nafter!\n$/, ''));
    expect([exitCode, there], stderr).toEqual([0, flat(listTree(cwd))]);
  });

  test('has what sync.include names of what git ignores, and keeps it in step both ways', async () => {
    const cwd = cli.tasks(
      'sync-include',
      'sync: {include: [".env", "vendor/**"]}\ntasks:\n  test: cat .env vendor/lib/a; echo more >> vendor/lib/a; ls other 2>&1 || true\n',
      { '.gitignore': '.env\nvendor/\nother\n', '.env': 'KEY=1\n', 'vendor/lib/a': 'a\n', other: 'x\n' },
    );
    const { stdout, stderr } = await run(cwd, 'test');
    expect(stdout, stderr).toBe("KEY=1\na\nls: cannot access 'other': No such file or directory\n");
    expect(readFileSync(join(cwd, 'vendor/lib/a'), 'utf8')).toBe('a\nmore\n');
  });

  test('answers git there as here: a build may take its version from a tag', async () => {
    await ensureTestImage(far.host, machineImage);
    const ask = 'git describe --tags --dirty && git status --porcelain';
    const cwd = cli.tasks('sync-git', `tasks:\n  test: ${ask}\n`, { a: 'a\n', '.gitignore': 'gbuild.lock\n' });
    const spec = join(cwd, 'gbuild.yml');
    writeFileSync(spec, readFileSync(spec, 'utf8').replace(/toolchain: .*/, `toolchain: ${machineImage}`));
    commitAll(cwd, 'with git');
    git(cwd, 'tag', 'v1.2.3');
    expect((await run(cwd, 'test')).stdout).toBe('v1.2.3\n');
    writeFileSync(join(cwd, 'a'), 'b\n');
    expect((await run(cwd, 'test')).stdout).toBe('v1.2.3-dirty\n M a\n');
  });

  test('is not sent again when it was much and the run that sent it was killed', async () => {
    const body = "tasks:\n  look: stat -c %s big\n  wait: 'echo ready; while :; do sleep 1; done'\n";
    const cwd = cli.tasks('sync-dear', body, { small: 'small\n' });
    await cli.run(['lock'], { cwd });
    writeFileSync(join(cwd, 'big'), '');
    truncateSync(join(cwd, 'big'), 105_000_000);
    const killed = cli.start(['run', 'wait'], { cwd });
    await killed.until('ready\n');
    killed.kill('SIGKILL');
    await killed.ended;
    const { stdout, stderr } = await run(cwd, 'run', 'look');
    expect(stdout, stderr).toBe('105000000\n');
    expect(stderr).toContain('the copy of the workspace there is up to date');
  });

  test('may have big files and many', async () => {
    const cwd = cli.tasks(
      'sync-big',
      'tasks:\n  test: stat -c %s big; tail -c 3 big; ls many | wc -l; mv big bigger\n',
      {},
    );
    writeFileSync(join(cwd, 'big'), '');
    truncateSync(join(cwd, 'big'), 300_000_000);
    writeFileSync(join(cwd, 'big'), 'end', { flag: 'a' });
    mkdirSync(join(cwd, 'many'));
    for (let i = 0; i < 3000; i += 1) writeFileSync(join(cwd, `many/${i}`), `${i}`);
    const { exitCode, stdout, stderr } = await run(cwd, 'test');
    expect([exitCode, stdout], stderr).toEqual([0, '300000003\nend3000\n']);
    expect([existsSync(join(cwd, 'big')), statSync(join(cwd, 'bigger')).size]).toEqual([false, 300_000_003]);
  });
});
