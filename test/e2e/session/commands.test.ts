import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { installPackages, isInstalled } from '../../support/engines/test-engine.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: inject('baseImage') });
afterAll(() => cli[Symbol.dispose]());

const nowhere = 'tcp://127.0.0.1:1';

/** Every file below a folder with its content. */
function readTree(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'latin1')]),
  );
}

describe('gbuild plan', () => {
  test('parses on a fresh machine the spec alone: the catalog comes parsed', async () => {
    const body = 'gbuild: 1\nname: e2e-first\ntoolchain: node@24\ntasks: {test: "true"}\n';
    const cwd = cli.repository('e2e-first', { 'gbuild.yml': body });
    const cache = join(cli.dir, 'fresh');
    const { exitCode, stdout } = await cli.run(['plan'], { cwd, env: { DOCKER_HOST: nowhere, XDG_CACHE_HOME: cache } });
    const parsed = readdirSync(join(cache, 'gbuild/parsed'));
    expect([exitCode, stdout, parsed.length]).toEqual([0, expect.stringContaining('node@24 is node 24.'), 1]);
  });

  test('says what a run would do, needs no engine and touches nothing', async () => {
    const cwd = cli.tasks(
      'e2e-plan',
      'passEnv: ["TOKEN*"]\ncaches: [{name: kept, path: /cache/kept}]\ntasks:\n  build: make\n  test: {run: make test, needs: [build], timeout: 5m}\n  lint: "true"\n',
    );
    const before = [readTree(cwd), readdirSync(cli.dir)];
    const env = { DOCKER_HOST: nowhere, TOKEN_A: 'hush' };
    const { exitCode, stdout, stderr } = await cli.run(['plan'], { cwd, env });
    expect([exitCode, stderr, cli.plain(stdout).replace(/-\d+ -> /, '-<uid> -> ')]).toMatchInlineSnapshot(`
      [
        0,
        "",
        "repository  e2e-plan in <dir>/e2e-plan
      spec        <dir>/e2e-plan/gbuild.yml
      toolchain   gbuild-test/base:bookworm is gbuild-test/base bookworm, lock: none
      container   gbuild-test/base:bookworm
      caches      gbuild-cache-kept-<uid> -> /cache/kept
      network     bridge
      task 1      build
                  /bin/sh -ec make
        passes    TOKEN_A
      task 2      test (after build)
                  /bin/sh -ec make test
        passes    TOKEN_A
        limit     <time>
      also there  lint
      ",
      ]
    `);
    const json = await cli.run(['plan', 'test', '--json'], { cwd, env });
    expect(JSON.parse(json.stdout)).toMatchObject({
      lock: 'none',
      repository: 'e2e-plan',
      tasks: [{ name: 'build' }, { name: 'test', needs: ['build'], timeout: 300, passEnv: ['TOKEN_A'] }],
    });
    expect(stdout + json.stdout).not.toContain('hush');
    expect([readTree(cwd), readdirSync(cli.dir)]).toEqual(before);
  });
});

describe('gbuild doctor', () => {
  test('says which engine is used and why, and what to do about the rest, with exit code 0', async () => {
    const cwd = cli.tasks('e2e-doctor', 'tasks:\n  test: "true"\n');
    const { exitCode, stdout } = await cli.run(['doctor', '--json'], { cwd });
    const answer = JSON.parse(stdout);
    expect([exitCode, answer.engine]).toEqual([
      0,
      expect.objectContaining({ url: engine, source: 'DOCKER_HOST', reason: expect.any(String), warnings: [] }),
    ]);
    const names = answer.checks.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['node', 'engine', 'disk', 'proxy', 'trust', 'clock', 'store', 'spec', 'lock']);
    expect(answer.checks.at(-1)).toMatchObject({ state: 'warning', todo: ['gbuild lock', 'git add gbuild.lock'] });
    const text = await cli.run(['doctor'], { cwd });
    expect(text.stdout).toMatch(/^ok +engine +\S+ \(.*because /m);
  });

  test('exits with 3 for a missing engine and with 2 for a broken spec', async () => {
    const cwd = cli.tasks('e2e-sick', 'tasks:\n  test: "true"\n');
    const noEngine = await cli.run(['doctor'], { cwd, env: { DOCKER_HOST: nowhere } });
    expect([noEngine.exitCode, noEngine.stdout]).toEqual([
      3,
      expect.stringMatching(/^problem {2}engine {2}cannot reach/m),
    ]);
    writeFileSync(join(cwd, 'gbuild.yml'), 'gbuild: 1\nnmae: x\n');
    const noSpec = await cli.run(['doctor', 'spec'], { cwd });
    expect([noSpec.exitCode, noSpec.stdout]).toEqual([2, expect.stringContaining('gbuild.yml:2:1')]);
  });

  test('warns where DOCKER_HOST and DOCKER_CONTEXT disagree, and names the winner', async () => {
    const cwd = cli.tasks('e2e-disagree', 'tasks:\n  test: "true"\n');
    const { stdout } = await cli.run(['doctor', 'engine', '--json'], { cwd, env: { DOCKER_CONTEXT: 'elsewhere' } });
    const { warnings, source } = JSON.parse(stdout).engine;
    expect([source, warnings]).toEqual([
      'DOCKER_HOST',
      [
        `DOCKER_HOST (${engine}) and DOCKER_CONTEXT (elsewhere, which the docker config does not know) name two engines: DOCKER_HOST wins`,
      ],
    ]);
    const run = await cli.run(['test'], { cwd, env: { DOCKER_CONTEXT: 'elsewhere' } });
    expect([run.exitCode, run.stderr]).toEqual([0, expect.stringContaining(`warning: ${warnings[0]}`)]);
  });

  test('refuses a host and a context at once', async () => {
    for (const command of ['doctor', 'clean']) {
      const { exitCode, stderr } = await cli.run([command, '--host', 'tcp://127.0.0.1:1', '--context', 'default']);
      expect([exitCode, stderr]).toMatchInlineSnapshot(`
        [
          2,
          "error: --host and --context both name an engine
          try: leave one of them out
          try: gbuild doctor --context default
        ",
        ]
      `);
    }
  });

  test('prints the chosen engine for a shell to evaluate', async () => {
    const { stdout } = await cli.run(['doctor', 'engine', '--shell', '--host', engine], {
      env: { DOCKER_HOST: nowhere },
    });
    expect(stdout).toContain(`export DOCKER_HOST='${engine}'\n`);
  });
});

describe('gbuild migrate', () => {
  test('leaves a spec of the newest version as it is, comments and all', async () => {
    const cwd = cli.tasks('e2e-migrate', '# why\ntasks: {test: "true"} # because\n');
    const before = readTree(cwd);
    const { exitCode, stdout } = await cli.run(['migrate'], { cwd });
    expect([exitCode, cli.plain(stdout)]).toEqual([
      0,
      '<dir>/e2e-migrate/gbuild.yml: version 1 already, nothing to do\n',
    ]);
    expect(readTree(cwd)).toEqual(before);
  });

  test('reads a spec that needs a task of its toolchain, and refuses one that needs a task that nobody has', async () => {
    const spec = (needs: string) =>
      `gbuild: 1\nname: e2e-migrate\ntoolchain: node\ntasks: {ship: {run: "true", needs: [${needs}]}}\n`;
    const cwd = cli.repository('e2e-migrate-needs', { 'gbuild.yml': spec('install') });
    const { exitCode, stderr } = await cli.run(['migrate'], { cwd });
    expect([exitCode, stderr]).toEqual([0, '']);
    writeFileSync(join(cwd, 'gbuild.yml'), spec('instal'));
    const [migrate, plan] = [await cli.run(['migrate'], { cwd }), await cli.run(['plan', 'ship'], { cwd })];
    expect(migrate).toEqual(plan);
    expect([migrate.exitCode, migrate.stderr]).toEqual([2, expect.stringContaining('did you mean install?')]);
  });

  test('a spec of a newer major is refused by every command, and says to upgrade', async () => {
    const cwd = cli.repository('newer', { 'gbuild.yml': 'gbuild: 2\nname: newer\nfuture: yes\n' });
    for (const command of ['test', 'plan', 'migrate']) {
      const { exitCode, stderr } = await cli.run([command], { cwd });
      expect([command, exitCode, stderr]).toEqual([command, 2, expect.stringContaining('upgrade')]);
    }
  });
});

describe('gbuild completion', () => {
  /** A folder with `gbuild` in it, as PATH has it. */
  const installed = () => {
    const dir = join(cli.dir, 'bin');
    mkdirSync(dir, { recursive: true });
    const calls = `#!/bin/sh\nexec '${process.execPath}' '${cli.bin}' "$@"\n`;
    writeFileSync(join(dir, 'gbuild'), calls);
    chmodSync(join(dir, 'gbuild'), 0o755);
    return dir;
  };
  const body = 'tasks:\n  test: "true"\n  lint: "true"\n  lint-all: "true"\n';
  const shellEnv = () => ({
    PATH: `${installed()}:${process.env.PATH}`,
    HOME: cli.dir,
    XDG_CACHE_HOME: join(cli.dir, 'cache'),
  });

  test.each([
    ['gbuild im', 'image'],
    ['gbuild run li', 'lint lint-all'],
    ['gbuild test --verb', '--verbose'],
    ['gbuild image --rel', '--release'],
    ['gbuild tool', 'toolchain'],
    ['gbuild toolchain in', 'inspect'],
    ['gbuild toolchain ls --av', '--available'],
    ['gbuild cache r', 'rm'],
  ])('completes "%s" to "%s" in bash', (line, wanted) => {
    const cwd = cli.tasks('e2e-bash', body);
    const script = `source <(gbuild completion bash); COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); complete -p gbuild >/dev/null && _gbuild && echo "\${COMPREPLY[*]}"`;
    const answer = execFileSync('bash', ['--norc', '-c', script], { cwd, env: shellEnv(), encoding: 'utf8' });
    expect(answer).toBe(`${wanted}\n`);
  });

  test('completes commands and tasks in zsh', async () => {
    if (!isInstalled('zsh')) await installPackages(['zsh']);
    const cwd = cli.tasks('e2e-zsh', body);
    const script = `
      autoload -U compinit && compinit -u
      source <(gbuild completion zsh)
      compadd() { [[ "$*" == *-a\\ candidates* ]] && print -l -- $candidates }
      _describe() { print -l -- $commands }
      words=(gbuild run li); CURRENT=3; PREFIX=li; _gbuild
      words=(gbuild im); CURRENT=2; _gbuild
      print registered \${_comps[gbuild]}`;
    const answer = execFileSync('zsh', ['-f', '-c', script], { cwd, env: shellEnv(), encoding: 'utf8' });
    const lines = answer.split('\n');
    expect(lines).toEqual(expect.arrayContaining(['lint', 'lint-all', 'test', 'registered _gbuild']));
    expect(lines.filter((line) => line.startsWith('image:'))).toHaveLength(1);
  });
});

describe('--json', () => {
  test('is a flag of every command, as help says in JSON itself', async () => {
    const { stdout, stderr } = await cli.run(['help', '--json']);
    const { commands } = JSON.parse(stdout) as { commands: { id: string; flags: { name: string }[] }[] };
    expect(stderr).toBe('');
    expect(commands.map(({ id }) => id)).toEqual(expect.arrayContaining(['completion', 'help', 'image', 'shell']));
    expect(commands.filter(({ flags }) => !flags.some(({ name }) => name === 'json'))).toEqual([]);
    const one = await cli.run(['help', 'image', '--json']);
    expect(JSON.parse(one.stdout).commands).toEqual([
      expect.objectContaining({ id: 'image', summary: expect.stringContaining('release') }),
    ]);
  });

  test('of completion has the script', async () => {
    const [plain, json] = [await cli.run(['completion', 'bash']), await cli.run(['completion', 'bash', '--json'])];
    expect(JSON.parse(json.stdout)).toEqual({ shell: 'bash', script: plain.stdout.trimEnd() });
  });

  test('of a shell has its exit code, and what it prints goes to stderr', async () => {
    const cwd = cli.tasks('e2e-shell-json', '');
    const result = await cli.run(['shell', '--json'], { cwd, input: 'echo said; exit 3' });
    expect([result.exitCode, JSON.parse(result.stdout)]).toEqual([3, { exitCode: 3 }]);
    expect(result.stderr).toContain('said\n');
  });
});

describe('help', () => {
  const commands = Object.keys(
    (JSON.parse(readFileSync(new URL('../../../oclif.manifest.json', import.meta.url), 'utf8')) as { commands: object })
      .commands,
  );

  test('of gbuild names every command', async () => {
    const { exitCode, stdout } = await cli.run(['--help']);
    expect(exitCode).toBe(0);
    for (const command of commands) expect(stdout).toMatch(new RegExp(`^  ${command.replace(/:.*/, '')} `, 'm'));
  });

  test.each(commands.filter((command) => command !== 'help'))(
    'of %s has examples and needs no repository',
    async (command) => {
      const { exitCode, stdout } = await cli.run([...command.split(':'), '--help'], { env: { DOCKER_HOST: nowhere } });
      expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^EXAMPLES\n[\s\S]*gbuild /m)]);
    },
  );
});
