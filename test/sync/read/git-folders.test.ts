import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type ReadLocalInput, readSources } from '../../../src/sync/read/read-local.ts';
import { readSent } from '../../../src/sync/read/read-sent.ts';
import { placeSubmodule } from '../../../src/workspace/git/git-file.ts';
import { GitTop } from '../../../src/workspace/git/git-top.ts';
import { findOwnRepository } from '../../../src/workspace/git/own-repository.ts';
import { readPlace } from '../../../src/workspace/git/project-place.ts';
import { commitAll, git } from '../../support/cli/cli.ts';

const dir = mkdtempSync(join(tmpdir(), 'gbuild-git-folders-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const files = { '.gitignore': '*.log\n', 'app/a': 'one\n', 'app/own.log': '', 'web/b': 'one\n' };

function makeRepository(name: string, ...init: string[]): string {
  const repository = join(dir, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), text);
  }
  git(repository, 'init', '-q', '-b', 'main', ...init);
  commitAll(repository, 'first');
  git(repository, 'tag', 'v1.2.3');
  writeFileSync(join(repository, 'web/b'), 'two\n');
  commitAll(repository, 'second');
  return repository;
}

/** Puts what is sent of a folder into another. */
async function send(fromDir: string, toDir: string, options: Pick<ReadLocalInput, 'links' | 'gitLink'>) {
  const tree = await readSources({ rootDir: fromDir, ignored: new Set(), include: [], clock: 0, ...options });
  for (const [path, { kind, target = '', mode }] of tree) {
    const to = join(toDir, path);
    rmSync(to, { force: true, recursive: kind !== 'directory' });
    if (kind === 'directory') mkdirSync(to, { recursive: true });
    else if (kind === 'symlink') symlinkSync(target, to);
    else writeFileSync(to, readSent(fromDir, path, tree)?.bytes ?? '', { mode });
  }
}

/** A folder as it is on an engine elsewhere, with its repository; answers where the project is there. */
async function carry(rootDir: string, name: string): Promise<string> {
  const there = join(dir, `${name}-there`);
  const place = await readPlace(rootDir, process.env);
  const repository = place?.repository ?? findOwnRepository(rootDir)!;
  using top = await GitTop.open(repository, place, process.env);
  const topThere = join(there, 'top');
  mkdirSync(topThere, { recursive: true });
  await send(top.dir, topThere, { links: top.links });
  expect(execFileSync('find', [topThere, '-type', 'l']).toString()).toBe('');
  const projectThere = place === undefined ? join(there, 'workspace') : join(topThere, place.path);
  mkdirSync(projectThere, { recursive: true });
  await send(rootDir, projectThere, {
    gitLink: (path) =>
      path === '.git'
        ? join(topThere, '.git')
        : placeSubmodule(join(rootDir, path), repository, join(topThere, '.git')),
  });
  return projectThere;
}

const questions = [
  'git rev-parse HEAD --show-prefix',
  'git describe --tags --dirty',
  'git status --porcelain',
  'git ls-files',
  'git log --format=%s -- .',
  'git log --format=%s',
  'git branch --show-current',
  'if test -e app/part; then cd app; fi; if test -e part; then git -C part log --format=%s; git -C part status --porcelain; fi',
  'git check-ignore own.log x.log || true',
];

function ask(cwd: string): string[] {
  const env = { PATH: process.env.PATH, HOME: dir };
  return questions.map((question) => execFileSync('sh', ['-c', question], { cwd, encoding: 'utf8', env }));
}

const layouts: Record<string, (name: string) => string> = {
  'a linked working tree': (name) => {
    git(makeRepository(name), 'worktree', 'add', '-q', '-b', 'linked', join(dir, `${name}-linked`));
    return join(dir, `${name}-linked`);
  },
  'a linked working tree of a repository whose first one has settings of its own': (name) => {
    const main = makeRepository(name);
    git(main, 'config', 'extensions.worktreeConfig', 'true');
    git(main, 'worktree', 'add', '-q', '-b', 'linked', join(dir, `${name}-linked`));
    git(main, 'config', '--worktree', 'core.worktree', main);
    git(main, 'config', '--worktree', 'status.showUntrackedFiles', 'no');
    return join(dir, `${name}-linked`);
  },
  'a linked working tree of a bare repository': (name) => {
    git(dir, 'clone', '-q', '--bare', makeRepository(name), `${name}.git`);
    git(join(dir, `${name}.git`), 'worktree', 'add', '-q', '-b', 'linked', join(dir, `${name}-linked`));
    return join(dir, `${name}-linked`);
  },
  'a git folder elsewhere': (name) => makeRepository(name, '--separate-git-dir', join(dir, `${name}-git`)),
  'a submodule': (name) => {
    const around = makeRepository(`${name}-around`);
    const from = makeRepository(name);
    git(around, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '--name', 'a/b', from, 'deep/part');
    return join(around, 'deep/part');
  },
  'a linked working tree with a submodule': (name) => {
    const main = makeRepository(name);
    git(
      main,
      '-c',
      'protocol.file.allow=always',
      'submodule',
      '--quiet',
      'add',
      makeRepository(`${name}-part`),
      'app/part',
    );
    commitAll(main, 'third');
    const linked = join(dir, `${name}-linked`);
    git(main, 'worktree', 'add', '-q', '-b', 'linked', linked);
    git(linked, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init');
    return linked;
  },
  'a git folder elsewhere with a submodule': (name) => {
    const top = makeRepository(name, '--separate-git-dir', join(dir, `${name}-git`));
    git(
      top,
      '-c',
      'protocol.file.allow=always',
      'submodule',
      '--quiet',
      'add',
      makeRepository(`${name}-part`),
      'app/part',
    );
    commitAll(top, 'third');
    return top;
  },
  'a shallow clone with packed refs, as a linked working tree': (name) => {
    git(dir, 'clone', '-q', '--depth=2', `file://${makeRepository(name)}`, `${name}-clone`);
    git(join(dir, `${name}-clone`), 'pack-refs', '--all');
    git(join(dir, `${name}-clone`), 'worktree', 'add', '-q', '-b', 'linked', join(dir, `${name}-linked`));
    return join(dir, `${name}-linked`);
  },
};

test.each(Object.entries(layouts))(
  'git answers on an engine elsewhere as here in %s, and below its top',
  async (layout, make) => {
    const name = layout.replaceAll(/\W+/g, '-').slice(0, 60);
    const top = make(name);
    appendFileSync(join(top, 'app/a'), 'more\n');
    writeFileSync(join(top, 'app/new'), '');
    const here = [top, join(top, 'app')];
    const there = [await carry(here[0]!, name), await carry(here[1]!, `${name}-below`)];
    expect(there.map(ask)).toEqual(here.map(ask));
    expect(ask(there[0]!)[1]).toMatch(/^v1\.2\.3-\d-g\w+-dirty\n$/);
  },
);

test('no credential of a config goes there, and nothing behind a link in the git folder', async () => {
  const top = makeRepository('secret', '--separate-git-dir', join(dir, 'secret-git'));
  const other = makeRepository('other');
  git(top, 'config', 'http.extraHeader', 'AUTHORIZATION: basic S3CRET');
  git(top, 'config', 'remote.origin.url', 'https://user:S3CRET@example.com/a/b.git');
  mkdirSync(join(dir, 'secret-git/modules/part'), { recursive: true });
  writeFileSync(join(dir, 'secret-git/modules/part/HEAD'), 'ref: refs/heads/main\n');
  symlinkSync(join(other, '.git/objects'), join(dir, 'secret-git/modules/part/objects'));
  symlinkSync(join(other, '.git'), join(dir, 'secret-git/modules/link'));
  const there = await carry(top, 'secret');
  const topThere = join(dirname(there), 'top');
  const found = execFileSync('sh', ['-c', "grep -rl 'S3[C]RET' . || true; find .git/modules -type f"], {
    cwd: topThere,
  });
  expect([found.toString(), git(there, 'remote', 'get-url', 'origin')]).toEqual([
    '.git/modules/part/HEAD\n',
    'https://example.com/a/b.git',
  ]);
});
