import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { commitAll, git, openCli } from '../../support/cli/cli.ts';
import { importImage, listTags, removeRepository } from '../../support/engines/engine-images.ts';

// Nothing is run here: a base of one file will do, and what is refused is refused before any work.
const engine = inject('engineHost');
const base = `e2e-refused-base-${process.pid}:1`;
const name = `e2e-refused-${process.pid}`;
const cli = openCli({ engine, toolchain: base });
const image = 'image: {entrypoint: [/app/dist/run], layers: [{name: application, from: [dist]}]}\n';
const files = { '.gitignore': 'dist/\n', 'src/run': '#!/bin/sh\n' };
let rootDir: string;

beforeAll(async () => {
  await importImage(engine, base, { here: 'a base' });
  rootDir = cli.tasks(name, image, files);
  mkdirSync(join(rootDir, 'dist'));
  writeFileSync(join(rootDir, 'dist/run'), '#!/bin/sh\n', { mode: 0o755 });
});
afterAll(async () => {
  await removeRepository(engine, name);
  await removeRepository(engine, base.split(':')[0]!);
  cli[Symbol.dispose]();
});

/** Exit code and error of a release that must not be; paths and names made plain. */
async function refusal(...flags: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cli.run(['image', ...flags], { cwd: rootDir });
  const error = stderr
    .slice(stderr.indexOf('error:'))
    .replaceAll(cli.dir, 'DIR')
    .replaceAll(String(process.pid), 'PID');
  return `exit ${exitCode}, ${stdout === '' ? 'nothing' : stdout} on stdout\n${error}`;
}

describe('a release', () => {
  test('needs a lock, and says how to make one', async () => {
    expect(await refusal('--release', '1.0.0')).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: DIR/e2e-refused-PID has no gbuild.lock: a release needs a locked toolchain
        try: gbuild lock && git add gbuild.lock && git commit -m "Lock the toolchain"
      "
    `);
  });

  test('needs a lock that is committed', async () => {
    expect((await cli.run(['lock'], { cwd: rootDir })).exitCode).toBe(0);
    expect(await refusal('--release', '1.0.0')).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: the tree is not clean in DIR/e2e-refused-PID:
        gbuild.lock
        try: git add gbuild.lock && git commit -m "Lock the toolchain"
        try: git stash --include-untracked
        try: gbuild image   # not a release
      "
    `);
    commitAll(rootDir, 'lock');
  });

  test('needs a lock that git does not ignore', async () => {
    writeFileSync(join(rootDir, '.git/info/exclude'), 'gbuild.lock\n');
    git(rootDir, 'rm', '-q', '--cached', 'gbuild.lock');
    git(rootDir, 'commit', '-q', '-m', 'no lock');
    expect(await refusal('--release', '1.0.0')).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: DIR/e2e-refused-PID: git ignores gbuild.lock, so no commit holds it
        try: git add --force gbuild.lock && git commit -m "Keep what decides a release"
      "
    `);
    rmSync(join(rootDir, '.git/info/exclude'));
    git(rootDir, 'reset', '-q', '--hard', 'HEAD~1');
  });

  test('needs a lock of what the spec asks for', async () => {
    const spec = git(rootDir, 'show', 'HEAD:gbuild.yml');
    writeFileSync(join(rootDir, 'gbuild.yml'), spec.replace(base, inject('baseImage')));
    commitAll(rootDir, 'another toolchain');
    expect(await refusal('--release', '1.0.0')).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: DIR/e2e-refused-PID/gbuild.lock: it is for "e2e-refused-base-PID:1", the spec asks for "gbuild-test/base:bookworm"
        try: gbuild lock && git add gbuild.lock && git commit -m "Lock the toolchain again"
      "
    `);
    git(rootDir, 'reset', '-q', '--hard', 'HEAD~1');
  });

  test('needs a clean tree: changed, deleted and untracked files are named, and no more than ten', async () => {
    writeFileSync(join(rootDir, 'src/run'), '#!/bin/sh\nexit 1\n');
    for (let i = 10; i < 20; i += 1) writeFileSync(join(rootDir, `new ${i}`), '');
    rmSync(join(rootDir, '.gitignore'));
    expect(await refusal('--release', '1.0.0')).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: the tree is not clean in DIR/e2e-refused-PID:
        .gitignore
        dist/run
        new 10
        new 11
        new 12
        new 13
        new 14
        new 15
        new 16
        new 17
        and 3 more
        try: git status   # commit what belongs to the release, and name what tools make in .gitignore
        try: git stash --include-untracked
        try: gbuild image   # not a release
      "
    `);
    git(rootDir, 'clean', '-qfd', '--exclude=dist');
    git(rootDir, 'reset', '-q', '--hard');
  });

  test.each(['v1.0.1', '1.0', '01.0.0', '1.0.0+build', 'latest', ''])(
    'of %j is refused: no exact version',
    async (version) => {
      expect(await refusal('--release', version)).toMatch(
        /^exit 2, nothing on stdout\nerror: --release .*: a release needs an exact version such as 1\.0\.1 or 2\.0\.0-rc\.1\n {2}try: gbuild image --release \d+\.\d+\.\d+\n$/,
      );
    },
  );

  test('needs the outputs that its layers name', async () => {
    rmSync(join(rootDir, 'dist'), { recursive: true });
    expect(await refusal('--release', '1.0.0')).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: layer "application" names dist, which is not in DIR/e2e-refused-PID
        try: gbuild build
        try: correct image.layers in gbuild.yml if dist is not what the build makes
      "
    `);
    mkdirSync(join(rootDir, 'dist'));
    expect(await refusal('--release', '1.0.0')).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: layer "application" holds no file: nothing in dist of DIR/e2e-refused-PID is both included and not excluded
        try: gbuild build
        try: correct image.layers in gbuild.yml
      "
    `);
    writeFileSync(join(rootDir, 'dist/run'), '#!/bin/sh\n', { mode: 0o755 });
  });

  test('needs a commit', async () => {
    const kept = rootDir;
    rootDir = join(cli.dir, 'nothing-committed');
    mkdirSync(rootDir);
    writeFileSync(join(rootDir, 'gbuild.yml'), `gbuild: 1\nname: ${name}\ntoolchain: ${base}\n${image}`);
    expect(await refusal('--release', '1.0.0')).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: DIR/nothing-committed has no commit, and a release is of a commit
        try: git init   # then git add what the release is made of, and git commit
      "
    `);
    git(rootDir, 'init', '-q');
    expect(await refusal('--release', '1.0.0')).toContain('has no commit');
    rootDir = kept;
  });
});

describe('an image', () => {
  test('takes no tag with --tag that names a release, nor one that is no tag', async () => {
    expect(await refusal('--tag', '1.0.0')).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: --tag 1.0.0: this is how a release is named, and a release never moves
        try: gbuild image --release 1.0.0
        try: gbuild image --tag latest
      "
    `);
    expect(await refusal('--tag', 'not a tag')).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: --tag not a tag: not a tag; expected up to 128 letters, digits, "_", "." and "-"
        try: gbuild image --tag latest
      "
    `);
  });

  test('is not written over a folder of something else, nor a folder as a file', async () => {
    expect(await refusal('--output', `oci:${rootDir}`)).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: "DIR/e2e-refused-PID" holds something that is not an OCI layout; nothing was written
        try: Name a folder that is empty, not there yet, or an OCI layout.
      "
    `);
    expect(await refusal('--output', `oci:${rootDir}/gbuild.yml`)).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: "DIR/e2e-refused-PID/gbuild.yml" holds something that is not an OCI layout; nothing was written
        try: Name a folder that is empty, not there yet, or an OCI layout.
      "
    `);
    expect(await refusal('--output', `docker-archive:${rootDir}`)).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: "DIR/e2e-refused-PID" is not a file; nothing was written
        try: gbuild image --output docker-archive:DIR/e2e-refused-PID/image.tar
      "
    `);
    expect(await refusal('--output', 'tar:x')).toMatchInlineSnapshot(`
      "exit 2, nothing on stdout
      error: --output tar:x: expected oci:DIR or docker-archive:FILE
        try: gbuild image --output oci:out/image
        try: gbuild image --output docker-archive:out/image.tar
      "
    `);
  });

  test('that was refused has left nothing on the engine', async () => {
    expect(await listTags(engine, name)).toEqual([]);
  });
});
