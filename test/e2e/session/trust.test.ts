import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { commitAll, git, openCli } from '../../support/cli/cli.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: inject('baseImage'), ownCache: true });
afterAll(() => cli[Symbol.dispose]());

const configDir = join(cli.dir, 'home/.config/gbuild');
const marker = join(cli.dir, 'ran');
const spec = `secrets:
  printed: {command: [./token.sh, "a b"]}
  KEY: {file: ~/key}
  own: {file: own}
tasks:
  none: echo no secret
  own: {run: 'wc -c < /run/secrets/own', secrets: [own]}
  printed: {run: 'wc -c < /run/secrets/printed', secrets: [printed]}
  KEY: {run: 'wc -c < /run/secrets/KEY', secrets: [KEY]}
`;
const files = { 'token.sh': `#!/bin/sh\ntouch '${marker}'\necho printed-value\n`, own: 'own-value\n' };
const noEngine = { DOCKER_HOST: 'tcp://127.0.0.1:1' };

beforeEach(() => {
  rmSync(configDir, { recursive: true, force: true });
  rmSync(marker, { force: true });
  writeFileSync(join(cli.dir, 'home/key'), 'key-value\n');
});

/** The digest is that of a script which names this test's folder. */
function shown(text: string): string {
  return cli.plain(text).replaceAll(/sha256:\w+/g, 'DIGEST');
}

/** How a run ends where no engine is: with 3 when nothing before that refused it. */
async function refusal(cwd: string, task: string, env: Record<string, string> = {}) {
  const { exitCode, stderr } = await cli.run(['run', task, '--json'], { cwd, env: { ...noEngine, ...env } });
  expect(stderr).toBe('');
  return exitCode;
}

describe('what a repository takes from this machine', () => {
  test('is refused where nobody can be asked, with what to type, and nothing runs', async () => {
    const cwd = cli.tasks('e2e-trust-refused', spec, files);
    const { exitCode, stderr } = await cli.run(['run', 'printed'], { cwd, env: noEngine });
    expect([exitCode, shown(stderr)]).toMatchInlineSnapshot(`
      [
        2,
        "error: <dir>/e2e-trust-refused/gbuild.yml:5:12  secret printed: the repository wants to run on this machine the command "./token.sh 'a b'"; nobody has trusted it to do so
        try: gbuild trust   # shows what gbuild.yml runs and reads on this machine, and asks
        try: export GBUILD_TRUST=DIGEST   # in a CI: set by its owner, not by the repository
      ",
      ]
    `);
    expect(await refusal(cwd, 'KEY')).toBe(2);
    expect(existsSync(marker)).toBe(false);
    for (const task of ['none', 'own']) expect([task, await refusal(cwd, task)]).toEqual([task, 3]);
    const asked = await cli.run(['trust'], { cwd });
    expect([asked.exitCode, asked.stdout, shown(asked.stderr)]).toMatchInlineSnapshot(`
      [
        2,
        "",
        "gbuild.yml in <dir>/e2e-trust-refused takes secrets from this machine:
        gbuild.yml:6  secret KEY: the file ~/key
        gbuild.yml:5  secret printed: the command "./token.sh 'a b'"
      error: <dir>/e2e-trust-refused is not trusted; pass --force to trust it
        try: gbuild trust --force   # trusts what is shown above
        try: export GBUILD_TRUST=DIGEST   # in a CI: set by its owner, not by the repository
      ",
      ]
    `);
    expect(existsSync(configDir)).toBe(false);
  });

  test('is fetched after gbuild trust, and asked for again when a declaration or a script changes', async () => {
    const cwd = cli.tasks('e2e-trust-given', spec, files);
    const trust = () => cli.run(['trust', '--force'], { cwd });
    expect((await trust()).exitCode).toBe(0);
    expect(await refusal(cwd, 'printed')).toBe(3);
    expect(existsSync(marker)).toBe(true);
    const changes: [string, (text: string) => string, number][] = [
      ['gbuild.yml', (text) => text.replace('a b', 'a c'), 2],
      ['gbuild.yml', (text) => text.replace('~/key', '~/.ssh/id'), 2],
      ['token.sh', (text) => `${text}echo more\n`, 2],
      ['gbuild.yml', (text) => text.replace('no secret', 'nothing'), 3],
    ];
    for (const [file, change, expected] of changes) {
      await trust();
      const before = readFileSync(join(cwd, file), 'utf8');
      writeFileSync(join(cwd, file), change(before));
      expect([change(before), await refusal(cwd, 'printed')]).toEqual([change(before), expected]);
      writeFileSync(join(cwd, file), before);
      expect(await refusal(cwd, 'printed')).toBe(3);
    }
  });

  test('is trusted in one folder: a worktree and a clone are asked about by themselves', async () => {
    const cwd = cli.tasks('e2e-trust-folder', spec, files);
    await cli.run(['trust', '--force'], { cwd });
    git(cwd, 'worktree', 'add', '-q', join(cli.dir, 'worktree'), 'HEAD');
    git(cli.dir, 'clone', '-q', cwd, join(cli.dir, 'clone'));
    symlinkSync(cwd, join(cli.dir, 'link'));
    const codes = [];
    for (const name of ['worktree', 'clone', 'link']) codes.push(await refusal(join(cli.dir, name), 'KEY'));
    expect(codes).toEqual([2, 2, 3]);
  });

  test('is trusted by GBUILD_TRUST for exactly its digest, also where CI is set', async () => {
    const cwd = cli.tasks('e2e-trust-ci', spec, files);
    const { stdout } = await cli.run(['trust', '--json'], { cwd });
    const { digest } = (JSON.parse(stdout) as { error: { facts: { digest: string } } }).error.facts;
    const CI = 'true';
    expect(await refusal(cwd, 'KEY', { CI })).toBe(2);
    expect(await refusal(cwd, 'KEY', { CI, GBUILD_TRUST: digest })).toBe(3);
    for (const GBUILD_TRUST of ['1', 'true', '*']) expect(await refusal(cwd, 'KEY', { CI, GBUILD_TRUST })).toBe(2);
    writeFileSync(join(cwd, 'token.sh'), '#!/bin/sh\ncurl evil\n', { mode: 0o755 });
    commitAll(cwd, 'of a stranger');
    expect(await refusal(cwd, 'KEY', { CI, GBUILD_TRUST: digest })).toBe(2);
  });

  test('is kept in config.yml beside all else, listed, and taken back', async () => {
    const cwd = cli.tasks('e2e-trust-list', spec, files);
    const text = '# mine\nconfig: 1 # the first\ncacheLimit: 1g\n';
    mkdirSync(configDir, { recursive: true });
    writeFileSync(join(cli.dir, 'dotfiles.yml'), text);
    symlinkSync(join(cli.dir, 'dotfiles.yml'), join(configDir, 'config.yml'));
    await cli.run(['trust', '--force'], { cwd });
    const kept = readFileSync(join(cli.dir, 'dotfiles.yml'), 'utf8');
    expect(kept.replace(/sha256:\w+/, 'DIGEST')).toBe(`${text}trust:\n  ${cwd}: DIGEST\n`);
    expect(lstatSync(join(configDir, 'config.yml')).isSymbolicLink()).toBe(true);
    expect((await cli.run(['trust', '--list'], { cwd: cli.dir })).stdout).toMatch(`${cwd}  sha256:`);
    expect((await cli.run(['trust', '--revoke'], { cwd })).exitCode).toBe(0);
    expect(readFileSync(join(cli.dir, 'dotfiles.yml'), 'utf8')).toBe(text);
    expect(await refusal(cwd, 'KEY')).toBe(2);
  });

  test('is shown at a terminal, where the answer counts once and for all', async () => {
    const cwd = cli.tasks('e2e-trust-asked', spec, files);
    const answer = async (keys: string) => {
      const env = { ...noEngine, TERM: 'xterm' };
      const running = cli.start(['run', 'printed'], { cwd, terminal: true, input: 'open', env });
      await running.until('Trust this repository');
      running.type(keys);
      const { exitCode } = await running.ended;
      return { exitCode, output: running.output() };
    };
    const refused = await answer('\r');
    expect(refused.exitCode, refused.output).toBe(2);
    expect(refused.output).toContain(`secret printed: the command "./token.sh 'a b'"`);
    expect([existsSync(marker), existsSync(configDir)]).toEqual([false, false]);
    const agreed = await answer('\u001b[B\r');
    expect(agreed.exitCode, agreed.output).toBe(3);
    expect(existsSync(marker)).toBe(true);
    expect(await refusal(cwd, 'printed')).toBe(3);
  });

  test('reaches its task', async () => {
    const cwd = cli.tasks('e2e-trust-run', spec, files);
    const run = (...args: string[]) => cli.run(args, { cwd });
    expect((await run('run', 'printed')).exitCode).toBe(2);
    await run('trust', '--force');
    expect((await run('run', 'printed')).stdout).toBe('13\n');
    expect((await run('run', 'KEY')).stdout).toBe('10\n');
    await run('trust', '--revoke');
    expect((await run('run', 'KEY')).exitCode).toBe(2);
    expect((await run('run', 'own')).stdout).toBe('10\n');
  });
});
