import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { checkOutCommit } from '../../../src/workspace/commit/check-out.ts';
import { readRevision } from '../../../src/workspace/commit/revision.ts';
import { viewPrefix } from '../../../src/workspace/git/git-view.ts';
import { askIgnored, readIgnored } from '../../../src/workspace/git/ignored.ts';
import { readTrackedFiles } from '../../../src/workspace/git/tracked.ts';
import { commitAll, git } from '../../support/cli/cli.ts';

const dir = mkdtempSync(join(tmpdir(), 'gbuild-hostile-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const home = join(dir, 'home');
mkdirSync(home);
const env = { PATH: process.env.PATH, HOME: home };
const ran = join(dir, 'ran');
/** A program that says it was run, and passes its input on. */
const program = join(dir, 'program.sh');
writeFileSync(program, `#!/bin/sh\ntouch ${ran}\ncat\n`);
chmodSync(program, 0o755);

let count = 0;
function makeRepository(files: Record<string, string> = { a: 'a\n' }): string {
  count += 1;
  const repository = join(dir, `repository-${count}`);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), text);
  }
  git(repository, 'init', '-q', '-b', 'main');
  commitAll(repository, 'first');
  return repository;
}

/** Asks everything that gbuild asks of a repository. */
async function askAll(repository: string, at = env): Promise<void> {
  const revision = await readRevision(repository, at);
  await readTrackedFiles(repository, at);
  await readIgnored(repository, at);
  await askIgnored(repository, ['x/', 'y'], at);
  count += 1;
  if (revision !== undefined) await checkOutCommit(repository, revision.commit, join(dir, `out-${count}`), at);
}

/** What the caller's own git does there. */
function runGit(repository: string, ...args: string[]): void {
  spawnSync('git', args, { cwd: repository, env, timeout: 20_000 });
}

const filter = `[filter "p"]\n\tclean = ${program}\n\tsmudge = ${program}\n\trequired = true\n`;

/** Makes a's time another one, so that git has to look into it. */
function touch(repository: string): void {
  writeFileSync(join(repository, 'a'), 'b\n');
}

function addFilter(repository: string, gitDir = join(repository, '.git')): void {
  appendFileSync(join(gitDir, 'config'), filter);
  mkdirSync(join(gitDir, 'info'), { recursive: true });
  writeFileSync(join(gitDir, 'info/attributes'), '* filter=p\n');
  touch(repository);
}

beforeEach(() => rmSync(ran, { force: true }));

describe('nothing that a repository names is run by a git of gbuild', () => {
  /** Each makes a repository, and names the command by which the caller's own git falls for it. */
  const attacks: [what: string, make: () => string, ...git: string[]][] = [
    [
      'a filter of its config',
      () => {
        const repository = makeRepository();
        addFilter(repository);
        return repository;
      },
      'status',
    ],
    [
      'a filter of a file that its config includes',
      () => {
        const repository = makeRepository();
        writeFileSync(join(repository, '.git/more'), filter);
        appendFileSync(join(repository, '.git/config'), '[include]\n\tpath = more\n');
        writeFileSync(join(repository, '.git/info/attributes'), '* filter=p\n');
        touch(repository);
        return repository;
      },
      'status',
    ],
    [
      "a filter of the working tree's own config",
      () => {
        const repository = makeRepository();
        git(repository, 'config', 'extensions.worktreeConfig', 'true');
        writeFileSync(join(repository, '.git/config.worktree'), filter);
        writeFileSync(join(repository, '.git/info/attributes'), '* filter=p\n');
        touch(repository);
        return repository;
      },
      'status',
    ],
    [
      'a process that filters',
      () => {
        const repository = makeRepository({ a: 'a\n', '.gitattributes': '* filter=p\n' });
        appendFileSync(join(repository, '.git/config'), `[filter "p"]\n\tprocess = ${program}\n`);
        touch(repository);
        return repository;
      },
      'status',
    ],
    [
      'a watcher of files',
      () => {
        const repository = makeRepository();
        git(repository, 'config', 'core.fsmonitor', program);
        return repository;
      },
      'status',
    ],
    [
      'a hook',
      () => {
        const repository = makeRepository();
        mkdirSync(join(repository, '.git/hooks'), { recursive: true });
        symlinkSync(program, join(repository, '.git/hooks/post-index-change'));
        touch(repository);
        git(repository, 'config', 'core.hooksPath', join(repository, '.git/hooks'));
        return repository;
      },
      'add',
      'a',
    ],
    [
      'a filter of a submodule',
      () => {
        const repository = makeRepository();
        const part = makeRepository();
        git(repository, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', part, 'part');
        commitAll(repository, 'second');
        addFilter(join(repository, 'part'), join(repository, '.git/modules/part'));
        return repository;
      },
      'status',
    ],
    [
      'a program that turns files into text, and one that compares them',
      () => {
        const repository = makeRepository({ a: 'a\n', '.gitattributes': '* diff=p\n' });
        appendFileSync(
          join(repository, '.git/config'),
          `[diff "p"]\n\ttextconv = ${program}\n\tcommand = ${program}\n`,
        );
        touch(repository);
        return repository;
      },
      'diff',
    ],
    [
      'a filter of a linked working tree',
      () => {
        const main = makeRepository();
        const linked = `${main}-linked`;
        git(main, 'worktree', 'add', '-q', linked);
        addFilter(linked, join(main, '.git'));
        return linked;
      },
      'status',
    ],
  ];
  test.each(attacks)('%s', async (_, make, ...command) => {
    const repository = make();
    runGit(repository, ...command);
    expect(existsSync(ran), 'git itself runs it, or this tests nothing').toBe(true);
    rmSync(ran);
    await askAll(repository);
    expect(existsSync(ran)).toBe(false);
  });

  test('a bare repository in a folder is none, and the one around it answers', async () => {
    const repository = makeRepository({ a: 'a\n', 'bare/b': 'b\n' });
    const bare = join(repository, 'bare');
    execFileSync('git', ['init', '-q', '--bare', bare], { env });
    appendFileSync(
      join(bare, 'config'),
      `[core]\n\tbare = false\n\tworktree = ${repository}\n\tfsmonitor = ${program}\n`,
    );
    runGit(bare, 'status');
    expect(existsSync(ran), 'git itself runs it, or this tests nothing').toBe(true);
    rmSync(ran);
    expect((await readRevision(bare, env))?.commit).toBe(git(repository, 'rev-parse', 'HEAD'));
    await askAll(bare);
    expect(existsSync(ran)).toBe(false);
  });

  test('a partial clone fetches nothing, by whatever program its config names', async () => {
    const repository = makeRepository();
    const clone = `${repository}-partial`;
    git(repository, 'config', 'uploadpack.allowFilter', 'true');
    git(dir, 'clone', '-q', '--filter=blob:none', '--no-checkout', `file://${repository}`, clone);
    const failing = join(dir, 'failing.sh');
    writeFileSync(failing, `#!/bin/sh\ntouch ${ran}\nexit 1\n`);
    chmodSync(failing, 0o755);
    git(clone, 'config', 'remote.origin.uploadpack', failing);
    const head = git(clone, 'rev-parse', 'HEAD');
    runGit(clone, 'checkout', '-q', 'HEAD');
    expect(existsSync(ran), 'git itself runs it, or this tests nothing').toBe(true);
    rmSync(ran);
    await expect(checkOutCommit(clone, head, `${clone}-out`, env)).rejects.toThrow(
      /git cannot read|could not check out/,
    );
    expect(existsSync(ran)).toBe(false);
  });
});

test("git's own rule for another owner's repository holds, and says what to type", async () => {
  const repository = makeRepository();
  execFileSync('chown', ['-R', '12345:12345', repository]);
  await expect(readRevision(repository, env)).rejects.toMatchObject({
    message: `git does not read ${repository}, which another user owns: fatal: detected dubious ownership in repository at '${repository}'`,
    suggestions: [`git config --global --add safe.directory '${repository}'   # if you trust its owner`],
    exitCode: 2,
  });
  writeFileSync(join(home, '.gitconfig'), `[safe]\n\tdirectory = ${repository}\n`);
  try {
    expect(await readRevision(repository, env)).toMatchObject({ branch: 'main' });
    rmSync(join(home, '.gitconfig'));
    expect(await readRevision(repository, { ...env, SUDO_UID: '12345' })).toMatchObject({ branch: 'main' });
  } finally {
    rmSync(join(home, '.gitconfig'), { force: true });
  }
});

describe('a git folder with something else in it', () => {
  test.each(['index', 'config', 'HEAD', 'packed-refs', 'info/exclude'])(
    'a pipe for %s holds nothing up',
    async (name) => {
      const repository = makeRepository();
      rmSync(join(repository, '.git', name), { force: true });
      execFileSync('mkfifo', [join(repository, '.git', name)]);
      await Promise.race([
        askAll(repository).catch(() => {}),
        new Promise((_, reject) => setTimeout(() => reject(new Error('it waits for the pipe')), 30_000).unref()),
      ]);
    },
  );

  test('a .git file that leads nowhere is named', async () => {
    const folder = join(dir, 'nowhere');
    mkdirSync(folder);
    writeFileSync(join(folder, '.git'), 'gitdir: ../gone\n');
    await expect(readRevision(folder, env)).rejects.toMatchObject({
      message: `${folder}/.git cannot be read: there is no git folder at ../gone`,
      exitCode: 2,
    });
    rmSync(join(folder, '.git'));
    execFileSync('mkfifo', [join(folder, '.git')]);
    await expect(readRevision(folder, env)).rejects.toThrow(/a named pipe, not a file/);
  });

  test('a config that git cannot read is named', async () => {
    const repository = makeRepository();
    appendFileSync(join(repository, '.git/config'), '[core\n');
    await expect(readRevision(repository, env)).rejects.toMatchObject({
      message: `${join(repository, '.git/config')} is damaged: git cannot read it either`,
      exitCode: 2,
    });
  });

  test('files called HEAD and main are files', async () => {
    const repository = makeRepository({ HEAD: 'x\n', main: 'y\n', '-q': 'z\n' });
    expect(await readRevision(repository, env)).toMatchObject({ branch: 'main', dirty: [] });
  });

  test('a commit whose objects are gone is not "no commit"', async () => {
    const repository = makeRepository();
    rmSync(join(repository, '.git/objects'), { recursive: true });
    mkdirSync(join(repository, '.git/objects'));
    await expect(readRevision(repository, env)).rejects.toThrow(/git cannot read/);
  });
});

describe("the caller's own configuration", () => {
  test('is heeded: a filter and a list of ignored files that the caller has set up', async () => {
    const repository = makeRepository({ a: 'a\n', '.gitattributes': '* filter=p\n' });
    const caller = join(dir, 'caller');
    mkdirSync(caller);
    writeFileSync(join(caller, 'ignored'), 'mine\n');
    writeFileSync(join(caller, '.gitconfig'), `${filter}[core]\n\texcludesFile = ~/ignored\n`);
    writeFileSync(join(repository, 'mine'), '');
    touch(repository);
    expect((await readRevision(repository, { ...env, HOME: caller }))?.dirty).toEqual(['a']);
    expect(existsSync(ran)).toBe(true);
  });

  test('of the repository: its own list of ignored files counts, wherever that is', async () => {
    const repository = makeRepository();
    writeFileSync(join(repository, '.git/ignored'), 'mine\n');
    writeFileSync(join(repository, 'mine'), '');
    git(repository, 'config', 'core.excludesFile', join(repository, '.git/ignored'));
    expect((await readRevision(repository, env))?.dirty).toEqual([]);
  });
});

test('a submodule with changes makes its repository dirty', async () => {
  const repository = makeRepository();
  const part = makeRepository();
  git(repository, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', part, 'deep/part');
  commitAll(repository, 'second');
  expect(await readRevision(repository, env)).toMatchObject({ dirty: [] });
  writeFileSync(join(repository, 'deep/part/new'), '');
  const revision = await readRevision(repository, env);
  expect([revision?.dirty, revision?.describe]).toEqual([['deep/part'], expect.stringMatching(/-dirty$/)]);
});

test('no view of a repository stays behind', () => {
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`${viewPrefix}${process.pid}-`))).toEqual([]);
});

describe('checkOutCommit', () => {
  test('gives the bytes and the modes of the commit, whatever settings say and wherever links lead', async () => {
    const repository = makeRepository({
      'crlf.txt': 'a\r\nb\n',
      'deep/run.sh': '#!/bin/sh\n',
      '.gitattributes': '*.txt text eol=crlf\n',
    });
    chmodSync(join(repository, 'deep/run.sh'), 0o755);
    symlinkSync('../outside', join(repository, 'deep/link'));
    const part = makeRepository({ b: 'b\n' });
    git(repository, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', part, 'part');
    git(repository, 'config', 'core.autocrlf', 'true');
    commitAll(repository, 'second');
    git(repository, 'tag', 'v1.0.0');
    const commit = git(repository, 'rev-parse', 'HEAD');
    const out = join(dir, 'checked-out');
    await checkOutCommit(repository, commit, out, env);
    expect(readFileSync(join(out, 'crlf.txt'), 'utf8')).toBe(
      execFileSync('git', ['show', 'HEAD:crlf.txt'], { cwd: repository }).toString(),
    );
    expect(lstatSync(join(out, 'deep/run.sh')).mode & 0o111).toBe(0o111);
    expect(readlinkSync(join(out, 'deep/link'))).toBe('../outside');
    expect(readFileSync(join(out, 'part/b'), 'utf8')).toBe('b\n');
    expect(await readRevision(out, env)).toMatchObject({ commit, describe: 'v1.0.0', dirty: [] });
    expect(git(join(out, 'part'), 'log', '--format=%s')).toBe('first');
  });

  test('names a submodule that is not there', async () => {
    const repository = makeRepository();
    const part = makeRepository();
    git(repository, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', part, 'part');
    commitAll(repository, 'second');
    rmSync(join(repository, 'part'), { recursive: true });
    const commit = git(repository, 'rev-parse', 'HEAD');
    await expect(checkOutCommit(repository, commit, join(dir, 'lacks'), env)).rejects.toMatchObject({
      message: `the submodule ${join(repository, 'part')} is not checked out`,
      suggestions: ['git submodule update --init --recursive'],
    });
  });
});
