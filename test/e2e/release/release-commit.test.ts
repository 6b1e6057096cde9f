import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { commitAll, git, openCli } from '../../support/cli/cli.ts';
import { ensureTestImage, machineImage, removeTestImage } from '../../support/images/base-image.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: machineImage });
beforeAll(() => ensureTestImage(engine, machineImage));
const names: string[] = [];
afterAll(async () => {
  for (const name of names) await removeTestImage(engine, `${name}:1.0.0`);
  cli[Symbol.dispose]();
});

const body = `secrets:
  TOKEN: {file: token}
tasks:
  build:
    run: mkdir -p out && git describe --tags > out/version && cat "$TOKEN_FILE" | wc -c > out/length && ls -A > out/seen
    secrets: [TOKEN]
image:
  entrypoint: [cat]
  layers:
    - {name: out, from: [out], to: /app}
    - {name: source, from: [src, start.sh], to: /app}
`;

/** Locked and committed, with a tag. */
async function makeReleasable(name: string): Promise<string> {
  names.push(name);
  // A run that was killed may have left its release on the engine.
  await removeTestImage(engine, `${name}:1.0.0`);
  const cwd = cli.tasks(name, body, {
    'src/a.txt': 'a\nb\n',
    'src/b.txt': 'b\n',
    'start.sh': '#!/bin/sh\necho started\n',
    '.gitattributes': 'src/a.txt filter=local\n',
    '.gitignore': 'out/\ntoken\n.env\n',
  });
  const { exitCode, stderr } = await cli.run(['lock'], { cwd });
  expect(exitCode, stderr).toBe(0);
  commitAll(cwd, 'locked');
  git(cwd, 'tag', 'v1.2.3');
  writeFileSync(join(cwd, 'token'), 'not-in-any-image');
  return cwd;
}

interface Released {
  exitCode: number | string;
  id?: string;
  stderr: string;
  error?: { message: string; suggestions: string[] };
}

/** The id of a release that is made with a store of its own, and what was said on the way. */
async function release(cwd: string): Promise<Released> {
  const env = { XDG_DATA_HOME: join(cli.dir, `data-${Math.random()}`) };
  const { exitCode, stdout, stderr } = await cli.run(['image', '--release', '1.0.0', '--json'], { cwd, env });
  if (exitCode !== 0) return { exitCode, stderr, error: JSON.parse(stdout).error };
  return { exitCode, id: (JSON.parse(stdout) as { imageId: string }).imageId, stderr };
}

test('one commit gives one image, whatever a laptop has that git does not speak of', async () => {
  const cwd = await makeReleasable('commit-one');
  const clone = join(cli.dir, 'commit-one-clone');
  git(cli.dir, 'clone', '-q', cwd, clone);
  writeFileSync(join(clone, 'token'), 'not-in-any-image');
  const honest = await release(clone);
  expect(honest.exitCode, honest.stderr).toBe(0);
  writeFileSync(join(cwd, '.env'), 'PASSWORD=of-this-laptop');
  mkdirSync(join(cwd, 'out'));
  writeFileSync(join(cwd, 'out/stale'), 'x');
  git(cwd, 'update-index', '--skip-worktree', 'src/b.txt');
  writeFileSync(join(cwd, 'src/b.txt'), 'only here\n');
  git(cwd, 'update-index', '--assume-unchanged', 'src/a.txt');
  rmSync(join(cwd, 'src/a.txt'));
  const here = await release(cwd);
  expect([here.exitCode, here.id], here.stderr).toEqual([0, honest.id]);
  expect(here.stderr).toMatch(
    /^building the release in a clean checkout of [0-9a-f]{12}, because in this folder \S+ is not in the commit$/m,
  );
  expect(existsSync(join(cwd, '.git/gbuild'))).toBe(false);
  expect(readFileSync(join(cwd, 'out/stale'), 'utf8')).toBe('x');
});

test('line ends and filters of a machine make no other image', async () => {
  const cwd = await makeReleasable('commit-eol');
  const honest = await release(cwd);
  const clone = join(cli.dir, 'commit-eol-clone');
  git(cli.dir, 'clone', '-q', '-c', 'core.autocrlf=true', cwd, clone);
  writeFileSync(join(clone, 'token'), 'not-in-any-image');
  expect(readFileSync(join(clone, 'start.sh'), 'utf8')).toContain('\r\n');
  const there = await release(clone);
  expect([there.exitCode, there.id], there.stderr).toEqual([0, honest.id]);
  const filtered = join(cli.dir, 'commit-eol-filtered');
  git(cli.dir, 'clone', '-q', '-c', 'filter.local.smudge=tr a x', '-c', 'filter.local.clean=tr x a', cwd, filtered);
  writeFileSync(join(filtered, 'token'), 'not-in-any-image');
  expect(readFileSync(join(filtered, 'src/a.txt'), 'utf8')).toBe('x\nb\n');
  const fresh = await release(filtered);
  expect([fresh.exitCode, fresh.id], fresh.stderr).toEqual([0, honest.id]);
});

test('a submodule that is not there refuses the release by its name', async () => {
  const cwd = await makeReleasable('commit-part');
  const part = cli.repository('commit-part-part', { c: 'c\n' });
  git(cwd, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', part, 'vendor/shared');
  commitAll(cwd, 'with a part');
  const clone = join(cli.dir, 'commit-part-clone');
  git(cli.dir, 'clone', '-q', cwd, clone);
  const { exitCode, stderr } = await release(clone);
  expect([exitCode, cli.plain(stderr).replace(/\b[0-9a-f]{12}\b/, '<commit>')]).toMatchInlineSnapshot(`
    [
      2,
      "building the release in a clean checkout of <commit>, because in this folder the submodule vendor/shared is not checked out
    ",
    ]
  `);
  const whole = await release(cwd);
  expect(whole.exitCode, whole.stderr).toBe(0);
});

test('outputs that are there are packed without a checkout, of a tree whose tracked files are the commit', async () => {
  const cwd = await makeReleasable('commit-outputs');
  expect((await cli.run(['build'], { cwd })).exitCode).toBe(0);
  const args = ['image', '--release', '1.0.0', '--no-build'];
  git(cwd, 'update-index', '--skip-worktree', 'src/b.txt');
  writeFileSync(join(cwd, 'src/b.txt'), 'only here\n');
  const refused = await cli.run(args, { cwd });
  expect([refused.exitCode, cli.plain(refused.stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: <dir>/commit-outputs is not its commit, though git calls it clean: src/b.txt has other bytes
      try: leave out --no-build, so that the release is built in a clean checkout of the commit
    ",
    ]
  `);
  writeFileSync(join(cwd, 'src/b.txt'), 'b\n');
  const { exitCode, stderr } = await cli.run(args, { cwd });
  expect([exitCode, /checkout/.test(stderr)], stderr).toEqual([0, false]);
});

test('what the build makes and git does not ignore is refused, and the line to type mends it', async () => {
  const make = 'tasks:\n  build: echo made >start.sh; mkdir -p out/deep; echo 1 >out/deep/a; echo 2 >src/new.txt\n';
  const image = 'image:\n  entrypoint: [cat]\n  layers: [{name: source, from: [src, out], to: /app}]\n';
  const cwd = cli.tasks('commit-untidy', make + image, { 'src/a.txt': 'a\n', 'start.sh': '' });
  names.push('commit-untidy');
  const { exitCode, stderr } = await cli.run(['lock'], { cwd });
  expect(exitCode, stderr).toBe(0);
  commitAll(cwd, 'locked');
  const changed = await release(cwd);
  expect([changed.exitCode, cli.plain(changed.error!.message), changed.error!.suggestions]).toMatchInlineSnapshot(`
    [
      2,
      "the build (task build) changed files that git tracks in <dir>/commit-untidy:
      start.sh",
      [
        "git diff   # after "gbuild build"",
        "git rm -r --cached PATH   # if the build makes it; then name it in .gitignore",
      ],
    ]
  `);
  git(cwd, 'clean', '-qfd');
  writeFileSync(join(cwd, 'start.sh'), 'made\n');
  commitAll(cwd, 'what the build makes of it');
  const made = await release(cwd);
  expect([made.exitCode, cli.plain(made.error!.message), made.error!.suggestions]).toMatchInlineSnapshot(`
    [
      2,
      "the build (task build) made files that git does not ignore in <dir>/commit-untidy:
      out/deep/a
      src/new.txt",
      [
        "printf '%s\\n' /out/ /src/new.txt >>.gitignore && git add .gitignore && git commit -m "Ignore what the build makes"",
      ],
    ]
  `);
  await execa('sh', ['-c', made.error!.suggestions[0]!], { cwd });
  expect(await release(cwd)).toMatchObject({ exitCode: 0 });
  expect(git(cwd, 'status', '--porcelain')).toBe('');
});
