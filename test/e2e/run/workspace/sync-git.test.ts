import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { commitAll, git } from '../../../support/cli/cli.ts';
import { ensureTestImage, machineImage } from '../../../support/images/base-image.ts';
import { type FarEngine, openFarEngine } from '../../../support/remote-engines/far-engine.ts';

let cli: FarEngine['cli'];
let opened: FarEngine;
beforeAll(async () => {
  opened = await openFarEngine(inject('engineHost'), { toolchain: machineImage });
  await ensureTestImage(opened.far.host, machineImage);
  ({ cli } = opened);
});
afterAll(() => opened[Symbol.asyncDispose]());

const search = "grep -rl 'S3[C]RET' . || true";
const address = 'https://user:S3CRET@example.com/a/b.git';
const config = `[http "https://example.com/"]
	extraheader = AUTHORIZATION: basic S3CRET
[remote "origin"]
	url = ${address}
	fetch = +refs/heads/*:refs/remotes/origin/*
[credential]
	helper = store --file=.git/credentials
`;

/** With credentials wherever git and CI systems leave them, in a submodule and in a repository of its own as well. */
function makeRepository(name: string, script: string): string {
  const cwd = cli.tasks(name, `tasks:\n  test: |\n    ${script}\n`, { a: 'a\n', '.gitignore': 'gbuild.lock\n' });
  const part = cli.repository(`${name}-part`, { b: 'b\n' });
  commitAll(part, 'a part');
  git(cwd, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', part, 'deep/part');
  commitAll(cwd, 'with git');
  git(cwd, 'tag', 'v1.2.3');
  git(cwd, 'update-ref', '-m', `pull ${address}: Fast-forward`, 'refs/heads/other', 'HEAD');
  git(cwd, 'branch', 'config');
  cli.repository(`${name}/own`, { c: 'c\n' });
  for (const folder of ['.git', '.git/modules/deep/part', 'own/.git']) {
    appendFileSync(join(cwd, folder, 'config'), config);
    writeFileSync(join(cwd, folder, 'FETCH_HEAD'), `${address}\n`);
  }
  writeFileSync(join(cwd, '.git/credentials'), `${address}\n`);
  return cwd;
}

describe('the repository on an engine elsewhere', () => {
  test('has no credential in it, and answers as it does here', async () => {
    const ask = ['describe --tags --dirty', 'status --porcelain', 'log --format=%s', 'rev-parse --abbrev-ref config'];
    const more = ['remote get-url origin', '-C deep/part log --format=%s', '-C own remote -v', 'config user.name'];
    const asked = [...ask, ...more].map((each) => `git ${each}`).join('; ');
    const cwd = makeRepository('sync-secret-git', `${search}; ${asked}`);
    git(cwd, 'config', 'user.name', 'A');
    const before = readFileSync(join(cwd, '.git/config'), 'utf8');
    const { stdout, stderr, exitCode } = await cli.run(['test'], { cwd });
    expect([exitCode, stdout], stderr).toMatchInlineSnapshot(`
      [
        0,
        "v1.2.3
      ?? own/
      with git
      first
      config
      https://example.com/a/b.git
      a part
      first
      origin	https://example.com/a/b.git (fetch)
      origin	https://example.com/a/b.git (push)
      A
      ",
      ]
    `);
    expect([readFileSync(join(cwd, '.git/config'), 'utf8'), existsSync(join(cwd, '.git/logs'))]).toEqual([
      before,
      true,
    ]);
  });

  test('is sent again where its config says something else, not where only a credential does', async () => {
    const cwd = makeRepository('sync-config', `${search}; cat .git/config | grep abbrev`);
    const edit = (from: string, to: string) =>
      writeFileSync(join(cwd, '.git/config'), readFileSync(join(cwd, '.git/config'), 'utf8').replaceAll(from, to));
    const run = async () => {
      const { stdout, stderr } = await cli.run(['test'], { cwd });
      return [stdout, /is up to date|sent there \(1 file,/.exec(stderr)?.[0]];
    };
    edit('[http ', '[core]\n\tabbrev = 8\n[http ');
    expect((await run())[0]).toBe('\tabbrev = 8\n');
    expect(await run()).toEqual(['\tabbrev = 8\n', 'is up to date']);
    edit('S3CRET', 'S3CRET-2');
    expect(await run()).toEqual(['\tabbrev = 8\n', 'is up to date']);
    edit('abbrev = 8', 'abbrev = 9');
    expect(await run()).toEqual(['\tabbrev = 9\n', 'sent there (1 file,']);
  });

  test('says so where a repository tracks nothing of the folder, and where a .git file names what does not name it back', async () => {
    const spec = `gbuild: 1\nname: far-stray\ntoolchain: ${machineImage}\ntasks:\n  test: pwd; echo made > made; git status\n`;
    const top = cli.repository('far-around', { a: 'a\n' });
    const [around, claim] = [join(top, 'unpacked'), join(cli.dir, 'far-claim')];
    for (const cwd of [around, claim]) {
      mkdirSync(cwd);
      writeFileSync(join(cwd, 'gbuild.yml'), spec);
    }
    writeFileSync(join(claim, '.git'), `gitdir: ${top}/.git\n`);
    const said = [];
    for (const cwd of [around, claim]) {
      const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
      const why = /git has no repository.*/.exec(stderr)?.[0].replaceAll(cli.dir, '<dir>');
      said.push([exitCode, stdout, readFileSync(join(cwd, 'made'), 'utf8'), why]);
    }
    expect(said).toMatchInlineSnapshot(`
      [
        [
          128,
          "/workspace
      ",
          "made
      ",
          "git has no repository in the container: only <dir>/far-around/unpacked is sent to the engine, and the repository around it tracks nothing in it; git add its files first",
        ],
        [
          128,
          "/workspace
      ",
          "made
      ",
          "git has no repository in the container: <dir>/far-claim/.git names <dir>/far-around/.git, which does not name this folder back",
        ],
      ]
    `);
  });
});

/** Answers depend on where in the repository they are asked. */
const questions = [
  'git rev-parse HEAD --show-prefix',
  'git describe --tags --dirty',
  'git log --format=%s -- .',
  'git status --porcelain',
  'git ls-files',
].join('; ');

const tasks = { test: questions, mine: 'git tag mine; git config alias.x y; git tag', again: `git tag; ${questions}` };
const spec = `gbuild: 1\nname: far-git\ntoolchain: ${machineImage}\ntasks: ${JSON.stringify(tasks)}\n`;

function makeProjects(name: string, ...init: string[]): string {
  const files = { 'gbuild.yml': spec, 'services/api/gbuild.yml': spec, 'services/api/a': 'one\n', 'web/b': 'one\n' };
  const cwd = cli.repository(name, { '.gitignore': 'gbuild.lock\n', ...files });
  if (init.length > 0) git(cwd, 'init', '-q', ...init);
  git(cwd, 'tag', 'v1.2.3');
  writeFileSync(join(cwd, 'web/b'), 'two\n');
  commitAll(cwd, 'of the web alone');
  return cwd;
}

const linkedWithPart = (name: string) => {
  const add = ['-c', 'protocol.file.allow=always', 'submodule', '--quiet'];
  const main = makeProjects(name);
  git(main, ...add, 'add', cli.repository(`${name}-part`, { d: 'd\n' }), 'services/api/part');
  commitAll(main, 'with a part');
  const linked = join(cli.dir, `${name}-linked`);
  git(main, 'worktree', 'add', '-q', '-b', 'linked', linked);
  git(linked, ...add, 'update', '--init');
  return linked;
};

const layouts: Record<string, (name: string) => string> = {
  'a linked working tree': (name) => {
    git(makeProjects(name), 'worktree', 'add', '-q', '-b', 'linked', join(cli.dir, `${name}-linked`));
    return join(cli.dir, `${name}-linked`);
  },
  'one with a git folder elsewhere': (name) => makeProjects(name, '--separate-git-dir', join(cli.dir, `${name}-git`)),
  'a linked working tree that has a submodule': linkedWithPart,
  'a submodule': (name) => {
    const around = cli.repository(`${name}-around`, { c: 'c\n' });
    git(around, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', makeProjects(name), 'part');
    return join(around, 'part');
  },
};

const ask = (cwd: string) =>
  execFileSync('sh', ['-c', questions], { cwd, encoding: 'utf8', env: { PATH: process.env.PATH, HOME: cli.dir } });

describe('a git folder that is not in the workspace is on an engine elsewhere, too', () => {
  test.each(Object.entries(layouts))('of %s, and of a project below its top', async (layout, make) => {
    const top = make(`far-${layout.replaceAll(' ', '-')}`);
    const below = join(top, 'services/api');
    writeFileSync(join(below, 'a'), 'two\n');
    for (const cwd of [top, below]) {
      const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
      expect([exitCode, stdout], stderr).toEqual([0, ask(cwd)]);
    }
  });

  test('its objects are sent once, and what a task does to it is gone with the run, here and there', async () => {
    const top = layouts['a linked working tree']!('far-once');
    const cwd = join(top, 'services/api');
    const noise = randomBytes(300_000);
    writeFileSync(join(top, 'web/large'), noise);
    commitAll(top, 'large');
    const run = async (task: string) => {
      const { stdout, stderr } = await cli.run(['run', task], { cwd });
      return [stdout, /is up to date|sent there \([^)]*\)/.exec(stderr)?.[0]];
    };
    expect((await run('test'))[1]).toMatch(/^sent there \(\d+ files, 3\d\d kB\)$/);
    expect(await run('mine')).toEqual(['mine\nv1.2.3\n', expect.stringMatching(/^sent there \(1 file, \d+ B\)$/)]);
    expect(await run('again')).toEqual([`v1.2.3\n${ask(cwd)}`, expect.stringMatching(/\(1 file, \d+ B, 1 removed\)$/)]);
    writeFileSync(join(top, 'web/b'), 'three\n');
    commitAll(top, 'later');
    expect(await run('again')).toEqual([`v1.2.3\n${ask(cwd)}`, expect.stringMatching(/\(\d files, \d\.\d kB\)$/)]);
    expect([git(top, 'tag'), git(top, 'config', '--list')]).toEqual(['v1.2.3', expect.not.stringContaining('alias')]);
  });
});
