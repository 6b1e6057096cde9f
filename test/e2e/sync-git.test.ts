import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ensureTestImage, machineImage } from '../support/base-image.ts';
import { commitAll, git } from '../support/cli.ts';
import { type FarEngine, openFarEngine } from '../support/far-engine.ts';

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

  test('has a project below its top at the same path as here, without the git folder, and says so', async () => {
    const top = cli.repository('far-below', {
      'services/api/gbuild.yml': `gbuild: 1\nname: far-below\ntoolchain: ${machineImage}\ntasks:\n  test: pwd; echo made > made; git status\n`,
    });
    const cwd = join(top, 'services/api');
    const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, stdout, readFileSync(join(cwd, 'made'), 'utf8')], stderr).toEqual([
      128,
      '/repository/services/api\n',
      'made\n',
    ]);
    expect(stderr).toContain(
      `git has no repository in the container: only ${cwd} is sent to the engine, and its git folder is ${top}/.git`,
    );
  });
});
