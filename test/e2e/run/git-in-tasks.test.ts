import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { commitAll, git, openCli } from '../../support/cli/cli.ts';
import { ensureTestImage, machineImage } from '../../support/images/base-image.ts';

const engine = inject('engineHost');
const cli = openCli({ engine });
afterAll(() => cli[Symbol.dispose]());
beforeAll(() => ensureTestImage(engine, machineImage));

/** Questions that builds ask git; the answers depend on where in the repository they are asked. */
const asked = [
  'git rev-parse HEAD --show-prefix',
  'git describe --tags --dirty',
  'git status --porcelain',
  'git status --short .',
  'git ls-files',
  'git log --format=%s -- .',
  'git log --format=%s',
  'git check-ignore build.log own.log kept.log || true',
  'git check-attr text README',
].join('; ');

const spec = `gbuild: 1\nname: below\ntoolchain: ${machineImage}\ntasks:\n  test: ${JSON.stringify(asked)}\n`;

/** A repository with a project below its top, which is neither clean nor without a history elsewhere. */
function makeRepository(name: string): string {
  const top = cli.repository(name, {
    '.gitignore': '*.log\ngbuild.lock\n',
    'services/.gitattributes': 'README -text\n',
    'services/api/.gitignore': '!kept.log\n',
    'services/api/gbuild.yml': spec,
    'services/api/README': 'one\n',
    'web/index.html': 'one\n',
  });
  git(top, 'tag', 'v1.2.3');
  writeFileSync(join(top, 'web/index.html'), 'two\n');
  commitAll(top, 'of the web alone');
  return top;
}

/** Answers of the host's git, without what changes between runs. */
function ask(cwd: string): string {
  return execFileSync('sh', ['-c', asked], { cwd, encoding: 'utf8', env: { PATH: process.env.PATH, HOME: cli.dir } });
}

describe('git says in a task what it says on the host', () => {
  test('in a project below the top of a repository, a linked working tree and one with a git folder elsewhere', async () => {
    const top = makeRepository('below');
    const linked = `${top}-linked`;
    git(top, 'worktree', 'add', '-q', '-b', 'linked', linked);
    const apart = makeRepository('below-apart');
    git(apart, 'init', '-q', '--separate-git-dir', `${apart}-git`);
    for (const place of [top, linked, apart]) {
      const cwd = join(place, 'services/api');
      writeFileSync(join(cwd, 'README'), 'two\n');
      writeFileSync(join(cwd, 'new'), '');
      const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
      expect([exitCode, stdout], stderr).toEqual([0, ask(cwd)]);
      expect(stdout).toContain('\nservices/api/\nv1.2.3-1-g');
    }
    expect([readdirSync(join(top, 'services')), readdirSync(join(top, '.git'))]).toEqual([
      ['.gitattributes', 'api'],
      expect.not.arrayContaining(['gbuild']),
    ]);
  });

  test('at the top of one with a git folder elsewhere, and what a task changes there is not the real one', async () => {
    const cwd = cli.repository('apart', { 'gbuild.yml': spec, '.gitignore': 'gbuild.lock\n', README: 'one\n' });
    git(cwd, 'tag', 'v1.2.3');
    git(cwd, 'init', '-q', '--separate-git-dir', `${cwd}-git`);
    const { stdout, stderr } = await cli.run(['test'], { cwd });
    expect(stdout, stderr).toBe(ask(cwd));
    writeFileSync(join(cwd, 'gbuild.yml'), `${spec}  tag: git tag mine && git tag\n`);
    const tagged = await cli.run(['run', 'tag'], { cwd });
    expect([tagged.stdout, git(cwd, 'tag')], tagged.stderr).toEqual(['mine\nv1.2.3\n', 'v1.2.3']);
  });

  test('in a linked working tree of a bare repository, and in one that has a submodule', async () => {
    const bare = join(cli.dir, 'bare.git');
    const [fromBare, linked] = [`${bare}-linked`, join(cli.dir, 'with-part-linked')];
    git(cli.dir, 'clone', '-q', '--bare', makeRepository('bare-from'), bare);
    git(bare, 'worktree', 'add', '-q', '-b', 'linked', fromBare);
    const main = makeRepository('with-part');
    const add = ['-c', 'protocol.file.allow=always', 'submodule', '--quiet'];
    git(main, ...add, 'add', makeRepository('part'), 'services/api/part');
    writeFileSync(join(main, 'gbuild.yml'), spec);
    commitAll(main, 'with a part');
    git(main, 'worktree', 'add', '-q', '-b', 'linked', linked);
    git(linked, ...add, 'update', '--init');
    for (const cwd of [join(fromBare, 'services/api'), join(linked, 'services/api'), linked]) {
      const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
      expect([exitCode, stdout], stderr).toEqual([0, ask(cwd)]);
    }
    const inside = 'services/api/part/.git';
    expect(readFileSync(join(linked, inside), 'utf8')).toContain('/with-part/.git/worktrees/with-part-linked/modules/');
  });

  test('but a repository that tracks nothing of the folder is none of its business, and gbuild says so', async () => {
    const top = makeRepository('around');
    const cwd = join(top, 'unpacked');
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'gbuild.yml'), spec);
    const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, stdout, cli.plain(stderr)]).toMatchInlineSnapshot(`
      [
        128,
        "",
        "gbuild-test/machine:bookworm is gbuild-test/machine bookworm: written to gbuild.lock; commit it
      > test: git rev-parse HEAD --show-prefix; git describe --tags --dirty; git status --porcelain; git status --short .; git ls-files; git log --format=%s -- .; git log --format=%s; git check-ignore build.log own.log kept.log || true; git check-attr text README
      fatal: not a git repository (or any parent up to mount point /)
      Stopping at filesystem boundary (GIT_DISCOVERY_ACROSS_FILESYSTEM not set).
      x test failed (<time>)
      warning: test: git has no repository in the container: only <dir>/around/unpacked is mounted, and the repository around it tracks nothing in it; git add its files first
      error: task test failed with exit code 128 (<time>)
        try: less <dir>/state/gbuild/runs/<run>/test.log
        try: gbuild shell   # look around in the same container
      ",
      ]
    `);
  });
});
