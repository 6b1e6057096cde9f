import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { commitAll, openCli } from '../../support/cli/cli.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { listTags, removeRepository } from '../../support/engines/engine-images.ts';
import { listLeft, nothingLeft } from '../../support/engines/engine-left.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: inject('baseImage'), ownCache: true });
afterAll(() => cli[Symbol.dispose]());

const values = { variable: 'from-a-variable-1', file: 'from-a-file/2+3', command: 'from-a-command-3' };
const sources = `secrets:
  VARIABLE: {env: GIVEN}
  KEY: {file: ~/key}
  printed: {command: [sh, -c, 'cat ~/printed; echo ~/printed >&2']}
`;
const given = { GIVEN: values.variable };

/** A repository that its user trusts. */
async function repository(name: string, tasks: string, head = sources): Promise<string> {
  writeFileSync(join(cli.dir, 'home/key'), `${values.file}\n`);
  writeFileSync(join(cli.dir, 'home/printed'), `${values.command}\n`);
  const cwd = cli.tasks(name, `${head}tasks:\n${tasks}`);
  expect((await cli.run(['trust', '--force'], { cwd })).exitCode).toBe(0);
  return cwd;
}

/** Every file that gbuild keeps, but for the caller's own key. */
function readKept(): string {
  const dirs = [cli.cacheDir, cli.dataDir, cli.stateDir];
  for (const dir of dirs) mkdirSync(dir, { recursive: true });
  const files = dirs.flatMap((dir) => readdirSync(dir, { recursive: true, withFileTypes: true }));
  return files
    .filter((file) => file.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
    .join('\n');
}

/** The values that stand in a text. */
function findValues(text: string): string[] {
  return Object.values(values).filter((value) => text.includes(value));
}

describe('secrets of a run', () => {
  test('are files of a tmpfs that the task alone may read, named by variables, and masked where they are shown', async () => {
    const cwd = await repository(
      'e2e-secrets-files',
      `  test:
    run: |
      stat -c '%n %a %u' /run/secrets/* | sed "s/ $(id -u)$/ caller/"
      stat -f -c %T /run/secrets
      env | grep -c -e from-a -e GIVEN || true
      echo "$VARIABLE_FILE $KEY_FILE $printed_FILE"
      wc -c < "$KEY_FILE"
      cat /run/secrets/*
      base64 "$KEY_FILE" >&2
      printf 'from-a-' && sleep 0.2 && printf 'variable-1|\\n'
    secrets: [VARIABLE, KEY, printed]
  other: ls /run/secrets
`,
    );
    const { exitCode, stdout, stderr } = await cli.run(['test', '--', values.variable], { cwd, env: given });
    expect([exitCode, stdout, cli.plain(stderr)]).toMatchInlineSnapshot(`
      [
        0,
        "/run/secrets/KEY 400 caller
      /run/secrets/VARIABLE 400 caller
      /run/secrets/printed 400 caller
      tmpfs
      0
      /run/secrets/VARIABLE /run/secrets/KEY /run/secrets/printed
      16
      ***
      ***|
      ",
        "gbuild-test/base:bookworm is gbuild-test/base bookworm: written to gbuild.lock; commit it
      > test: stat -c '%n %a %u' /run/secrets/* | sed "s/ $(id -u)$/ caller/" ...
      ***Cg==
      + test passed (<time>)
      test passed with gbuild-test/base bookworm in <time>
      ",
      ]
    `);
    expect(findValues(stdout + stderr + readKept())).toEqual([]);
    const without = await cli.run(['run', 'other'], { cwd });
    expect(without.exitCode).not.toBe(0);
  });

  test('leave terminal and exit code to the task', async () => {
    const cwd = await repository(
      'e2e-secrets-streams',
      `  ended: {run: 'exit 7', secrets: [VARIABLE]}
  drawn: {run: 'test -t 1 && cat $KEY_FILE && tty', secrets: [KEY]}
  listed: {run: [nowhere], secrets: [KEY]}
`,
    );
    expect((await cli.run(['run', 'ended'], { cwd, env: given })).exitCode).toBe(7);
    const drawn = await cli.run(['run', 'drawn'], { cwd, env: given, terminal: true });
    expect([drawn.exitCode, findValues(drawn.stdout)]).toEqual([0, []]);
    expect(drawn.stdout).toMatch(/\*\*\*\r+\n\/dev\//);
    expect((await cli.run(['run', 'listed'], { cwd })).exitCode).toBe(127);
  });

  test('stand in nothing that the engine tells of a container, and are gone with it even when gbuild is killed', async () => {
    const cwd = await repository(
      'e2e-secrets-killed',
      "  test: {run: 'wc -c /run/secrets/*; sleep 60', secrets: [VARIABLE, KEY, printed]}\n  next: 'true'\n",
    );
    const running = cli.start(['test'], { cwd, env: given });
    await running.until('total');
    const label = 'io.gbuild.repository=e2e-secrets-killed';
    const [id] = (await listLeft(engine, label)).containers;
    const now = Math.ceil(Date.now() / 1000);
    const filters = encodeURIComponent(JSON.stringify({ container: [id] }));
    const events = `/events?since=${now - 600}&until=${now}&filters=${filters}`;
    const seen = await Promise.all(
      [`/containers/${id}/json`, `/containers/${id}/top`, events].map(
        async (path) => (await askEngine(engine, 'GET', path)).text,
      ),
    );
    expect(seen[0]).toContain('/run/secrets');
    expect(seen[2]).toContain('exec_start');
    const encoded = Object.values(values).map((value) => Buffer.from(value).toString('base64'));
    expect(findValues(seen.join('\n'))).toEqual([]);
    expect(encoded.filter((value) => seen.join('\n').includes(value))).toEqual([]);
    running.kill('SIGKILL');
    await running.ended;
    expect((await listLeft(engine, label)).containers).toEqual([id]);
    expect((await cli.run(['run', 'next'], { cwd })).exitCode).toBe(0);
    expect(await listLeft(engine, label)).toEqual(nothingLeft);
    expect(findValues(readKept())).toEqual([]);
  });

  test('that cannot be had end the run before it begins, with their place and without a value', async () => {
    const tasks = `  variable: {run: 'true', secrets: [GONE]}
  file: {run: 'true', secrets: [LOST]}
  command: {run: 'true', secrets: [REFUSED]}
  program: {run: 'true', secrets: [UNKNOWN]}
  short: {run: 'true', secrets: [SHORT]}
`;
    const lines = `secrets:
  GONE: {env: GONE}
  LOST: {file: lost/key}
  REFUSED: {command: [sh, -c, 'cat ~/printed; cat ~/printed >&2; exit 3']}
  UNKNOWN: {command: [e2e-no-such-program]}
  SHORT: {env: SHORT}
`;
    const cwd = await repository('e2e-secrets-missing', tasks, lines);
    const errors: string[] = [];
    for (const task of ['variable', 'file', 'command', 'program', 'short']) {
      const env = { SHORT: '12345\n', DOCKER_HOST: 'tcp://127.0.0.1:1' };
      const { exitCode, stderr } = await cli.run(['run', task], { cwd, env });
      errors.push(`${exitCode} ${cli.plain(stderr)}`);
    }
    expect(errors.join('')).toMatchInlineSnapshot(`
      "2 error: <dir>/e2e-secrets-missing/gbuild.yml:5:9  secret GONE: the variable GONE is not set
        try: export GONE=...   # then run gbuild again
      2 error: <dir>/e2e-secrets-missing/gbuild.yml:6:9  secret LOST: there is no file <dir>/e2e-secrets-missing/lost/key
      2 error: <dir>/e2e-secrets-missing/gbuild.yml:7:12  secret REFUSED: the command "sh -c 'cat ~/printed; cat ~/printed >&2; exit 3'" ended with exit code 3
      2 error: <dir>/e2e-secrets-missing/gbuild.yml:8:12  secret UNKNOWN: the command "e2e-no-such-program" could not be started: there is no such program
      2 error: <dir>/e2e-secrets-missing/gbuild.yml:9:10  secret SHORT: it is shorter than 6 bytes: so short a text occurs in every log and image
        try: give it a longer value; what is not a secret belongs under env or passEnv
      "
    `);
  });

  test('are named by a plan, which fetches none of them', async () => {
    const cwd = await repository(
      'e2e-secrets-plan',
      "  test: {run: 'true', secrets: [VARIABLE, KEY, MADE]}\n",
      `${sources}  MADE: {command: [touch, made]}\npassEnv: [GIVEN]\n`,
    );
    const { exitCode, stdout } = await cli.run(['plan', 'test'], { cwd, env: given });
    expect([exitCode, cli.plain(stdout)]).toMatchInlineSnapshot(`
      [
        0,
        "repository  e2e-secrets-plan in <dir>/e2e-secrets-plan
      spec        <dir>/e2e-secrets-plan/gbuild.yml
      toolchain   gbuild-test/base:bookworm is gbuild-test/base bookworm, lock: none
      container   gbuild-test/base:bookworm
      secrets     VARIABLE from the variable GIVEN -> /run/secrets/VARIABLE
                  KEY from the file ~/key -> /run/secrets/KEY
                  MADE from the command "touch made" -> /run/secrets/MADE
      network     bridge
      task 1      test
                  /bin/sh -ec true
        secrets   VARIABLE
                  KEY
                  MADE
      ",
      ]
    `);
    const json = await cli.run(['plan', 'test', '--json'], { cwd, env: given });
    expect(findValues(stdout + json.stdout)).toEqual([]);
    expect(readdirSync(cwd)).not.toContain('made');
  });
});

describe('a release', () => {
  const name = `e2e-leak-${process.pid}`;
  afterAll(() => removeRepository(engine, name));

  /** Exit code and error of a release whose build does this, and what bears its name then. */
  async function release(version: string, build: string, image = ''): Promise<string> {
    const cwd = await repository(
      `${name}-${version}`,
      `  build: {run: '${build}', secrets: [VARIABLE, KEY], reports: ['reports/*.xml']}
image:
  entrypoint: [cat]
  layers: [{name: out, from: [out], to: /app}]
${image}`,
      sources,
    );
    writeFileSync(
      join(cwd, 'gbuild.yml'),
      readFileSync(join(cwd, 'gbuild.yml'), 'utf8').replace(/^name: .*/m, `name: ${name}`),
    );
    writeFileSync(join(cwd, '.gitignore'), 'out/\nreports/\n');
    expect((await cli.run(['lock'], { cwd })).exitCode).toBe(0);
    commitAll(cwd, 'locked');
    const { exitCode, stdout, stderr } = await cli.run(['image', '--release', version], { cwd, env: given });
    expect(findValues(stdout + stderr)).toEqual([]);
    const at = stderr.indexOf('error:');
    const index = join(cli.dataDir, 'store/index.json');
    const stored = existsSync(index) ? readFileSync(index, 'utf8').match(/"[^"]*:\d+\.\d+\.\d+"/g) : [];
    const named = [...(await listTags(engine, name)), ...(stored ?? [])].filter((tag) => tag.includes(version));
    return `exit ${exitCode}, named ${named.length} times\n${at === -1 ? '' : stderr.slice(at)}`.replaceAll(
      String(process.pid),
      'PID',
    );
  }

  test('that has a secret in it is refused, and nothing bears its name', async () => {
    const cases = [
      await release('1.0.1', 'mkdir -p out; cp $VARIABLE_FILE out/settings'),
      await release(
        '1.0.2',
        'mkdir -p out/deep; base64 $KEY_FILE > out/deep/file; gzip -c $VARIABLE_FILE > out/notes.gz',
      ),
      await release('1.0.3', 'mkdir -p out; echo 1 > out/clean', `  env: {TOKEN: ${values.variable}}\n`),
      await release(
        '1.0.4',
        'mkdir -p out; echo 1 > out/clean',
        `  labels: {com.example.token: a ${values.variable}}\n`,
      ),
      await release('1.0.5', 'mkdir -p out reports; echo 1 > out/clean; cat $VARIABLE_FILE > reports/a.xml'),
      await release('1.0.6', 'mkdir -p out; touch "out/$(cat $VARIABLE_FILE)"'),
    ];
    expect(cases.join('\n')).toMatchInlineSnapshot(`
      "exit 2, named 0 times
      error: e2e-leak-PID:1.0.1 would contain secrets of this run:
        secret VARIABLE in layer 2 (out): app/out/settings
        try: let the task read the file of the secret when it needs the value and write the value nowhere, or exclude the file that holds it under image.layers
        try: gbuild plan image   # what is packed

      exit 2, named 0 times
      error: e2e-leak-PID:1.0.2 would contain secrets of this run:
        secret KEY in layer 2 (out): app/out/deep/file
        secret VARIABLE in layer 2 (out): app/out/notes.gz (unpacked)
        try: let the task read the file of the secret when it needs the value and write the value nowhere, or exclude the file that holds it under image.layers
        try: gbuild plan image   # what is packed

      exit 2, named 0 times
      error: e2e-leak-PID:1.0.3 would contain secrets of this run:
        secret VARIABLE in config.Env[0] (TOKEN)
        try: let the task read the file of the secret when it needs the value and write the value nowhere, or exclude the file that holds it under image.layers
        try: gbuild plan image   # what is packed

      exit 2, named 0 times
      error: e2e-leak-PID:1.0.4 would contain secrets of this run:
        secret VARIABLE in config.Labels["com.example.token"]
        secret VARIABLE in annotations["com.example.token"]
        try: let the task read the file of the secret when it needs the value and write the value nowhere, or exclude the file that holds it under image.layers
        try: gbuild plan image   # what is packed

      exit 2, named 0 times
      error: e2e-leak-PID:1.0.5 would contain secrets of this run:
        secret VARIABLE in the report reports/a.xml
        try: let the task read the file of the secret when it needs the value and write the value nowhere, or exclude the file that holds it under image.layers
        try: gbuild plan image   # what is packed

      exit 2, named 0 times
      error: e2e-leak-PID:1.0.6 would contain secrets of this run:
        secret VARIABLE in layer 2 (out): app/out/***
        try: let the task read the file of the secret when it needs the value and write the value nowhere, or exclude the file that holds it under image.layers
        try: gbuild plan image   # what is packed
      "
    `);
  });

  test('of outputs that are there is searched for what their build was given', async () => {
    const build = 'mkdir -p out; cp $VARIABLE_FILE out/settings';
    await release('1.1.0', build);
    const cwd = join(cli.dir, `${name}-1.1.0`);
    const flags = ['image', '--release', '1.1.0', '--no-build'];
    const again = await cli.run(flags, { cwd, env: given });
    expect([again.exitCode, again.stderr]).toEqual([2, expect.stringContaining('secret VARIABLE in layer')]);
    const without = await cli.run(flags, { cwd });
    expect([without.exitCode, without.stderr]).toEqual([2, expect.stringContaining('the variable GIVEN is not set')]);
    await cli.run(['trust', '--revoke'], { cwd });
    const untrusted = await cli.run(flags, { cwd, env: given });
    const wants = expect.stringContaining('secret KEY: the repository wants to read on this machine the file ~/key');
    expect([untrusted.exitCode, untrusted.stderr]).toEqual([2, wants]);
    expect(await listTags(engine, name)).toEqual([]);
  });

  test('that has none in it passes', async () => {
    expect(await release('2.0.0', 'mkdir -p out; wc -c < $KEY_FILE > out/size')).toMatchInlineSnapshot(`
      "exit 0, named 2 times
      "
    `);
  });
});
