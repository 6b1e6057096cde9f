import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { listLeft, nothingLeft } from '../../support/engines/engine-left.ts';
import { removeTestImage } from '../../support/images/base-image.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: inject('baseImage') });
afterAll(() => cli[Symbol.dispose]());

describe('the exit code', () => {
  test("is a failing task's own, and nothing stays on the engine", async () => {
    const cwd = cli.tasks('e2e-failing', 'tasks:\n  test: exit 7\n');
    const { exitCode, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, cli.plain(stderr)]).toMatchInlineSnapshot(`
      [
        7,
        "gbuild-test/base:bookworm is gbuild-test/base bookworm: written to gbuild.lock; commit it
      > test: exit 7
      x test failed (<time>)
      error: task test failed with exit code 7 (<time>)
        try: less <dir>/state/gbuild/runs/<run>/test.log
        try: gbuild shell   # look around in the same container
      ",
      ]
    `);
    expect(await listLeft(engine, 'io.gbuild.repository=e2e-failing')).toEqual(nothingLeft);
  });

  test('is 0 when all is well, and the result is the last line', async () => {
    const cwd = cli.tasks('e2e-passing', 'tasks:\n  test: echo fine\n');
    const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, stdout, cli.plain(stderr)]).toMatchInlineSnapshot(`
      [
        0,
        "fine
      ",
        "gbuild-test/base:bookworm is gbuild-test/base bookworm: written to gbuild.lock; commit it
      > test: echo fine
      + test passed (<time>)
      test passed with gbuild-test/base bookworm in <time>
      ",
      ]
    `);
  });

  test('is 127 for a command that is not there, with a hint', async () => {
    const cwd = cli.tasks('e2e-missing', 'tasks:\n  test: no-such-command --now\n  exec: {run: [no-such-program]}\n');
    const bySh = await cli.run(['test'], { cwd });
    expect([bySh.exitCode, cli.plain(bySh.stderr)]).toMatchInlineSnapshot(`
      [
        127,
        "gbuild-test/base:bookworm is gbuild-test/base bookworm: written to gbuild.lock; commit it
      > test: no-such-command --now
      /bin/sh: 1: no-such-command: not found
      x test failed (<time>)
      warning: test: a command was not found; is it in the toolchain, or installed by a task this one needs?
      error: task test failed with exit code 127 (<time>)
        try: less <dir>/state/gbuild/runs/<run>/test.log
        try: gbuild shell   # look around in the same container
      ",
      ]
    `);
    const direct = await cli.run(['run', 'exec'], { cwd });
    expect([direct.exitCode, direct.stderr]).toEqual([127, expect.stringContaining('exec: a command was not found')]);
  });

  test('is 126 for a file that is not executable', async () => {
    const cwd = cli.tasks('e2e-forbidden', 'tasks:\n  test: {run: [./data.txt]}\n', { 'data.txt': 'data\n' });
    const { exitCode, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, stderr]).toEqual([126, expect.stringContaining('a command was found but is not executable')]);
  });

  test('is 2 for mistakes in the spec, all of them at once with their places', async () => {
    const cwd = cli.repository('mistaken', {
      'gbuild.yml': 'gbuild: 1\nname: e2e-mistaken\ntoolchian: node@^22\ntasks:\n  test: {run: true, neds: [build]}\n',
    });
    const { exitCode, stderr, stdout } = await cli.run(['test'], { cwd });
    expect([exitCode, stdout, cli.plain(stderr)]).toMatchInlineSnapshot(`
      [
        2,
        "",
        "error: 3 mistakes in gbuild.yml

        gbuild.yml:3:1  toolchian: expected a known key, found "toolchian"
            2 | name: e2e-mistaken
          > 3 | toolchian: node@^22
              | ^^^^^^^^^
          did you mean toolchain?

        gbuild.yml:5:15  tasks.test.run: expected a command: a text for a shell, or one program and its arguments as a list, found true
            4 | tasks:
          > 5 |   test: {run: true, neds: [build]}
              |               ^^^^

        gbuild.yml:5:21  tasks.test.neds: expected a known key, found "neds"
            4 | tasks:
          > 5 |   test: {run: true, neds: [build]}
              |                     ^^^^
          did you mean needs?
      ",
      ]
    `);
  });

  test('run without a task names the tasks there are', async () => {
    const cwd = cli.tasks('e2e-which', 'tasks:\n  lint: "true"\n  test: "true"\n');
    const { exitCode, stderr } = await cli.run(['run'], { cwd });
    expect([exitCode, stderr]).toEqual([
      2,
      'error: no task is named; the tasks are lint, test\n  try: gbuild run lint\n  try: gbuild run test\n',
    ]);
  });

  test('is 2 for a task, a command or a flag that does not exist, with what was meant', async () => {
    const cwd = cli.tasks('e2e-misspelt', 'tasks:\n  test: "true"\n  integration: "true"\n');
    for (const [args, meant] of [
      [['run', 'integartion'], 'gbuild run integration'],
      [['tset'], 'gbuild test'],
    ] as const) {
      const { exitCode, stderr } = await cli.run([...args], { cwd });
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`try: ${meant}`)]);
    }
    const { exitCode, stderr } = await cli.run(['test', '--jsn'], { cwd });
    expect([exitCode, cli.plain(stderr)]).toMatchInlineSnapshot(`
      [
        2,
        "error: Nonexistent flag: --jsn
        try: gbuild --help
      ",
      ]
    `);
  });

  test('global flags may come before the command, flags of one command may not', async () => {
    const cwd = cli.tasks('e2e-flags-first', 'tasks:\n  test: echo fine\n');
    const passed = await cli.run(['-q', '-C', cwd, '-H', engine, 'test'], {
      env: { DOCKER_HOST: 'tcp://127.0.0.1:1' },
    });
    expect([passed.exitCode, passed.stdout, passed.stderr]).toEqual([0, 'fine\n', '']);
    const refused = await cli.run(['--frozen', 'test'], { cwd });
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      'error: --frozen comes before the command test; only global flags may\n  try: gbuild test --frozen\n',
    ]);
    const none = await cli.run(['-C', cwd]);
    expect([none.exitCode, none.stderr]).toEqual([2, expect.stringContaining('error: no command is given; ')]);
  });

  test('a name that gbuild.yml lacks is told as the files have it, and a repository without gbuild.yml is sent to init', async () => {
    const files = { 'package.json': '{"name": "shop", "engines": {"node": "^24"}, "scripts": {"test": "true"}}' };
    const nameless = cli.repository('e2e-nameless', { ...files, 'gbuild.yml': 'gbuild: 1\ntoolchain: node@^24\n' });
    const { exitCode, stderr } = await cli.run(['plan', 'test'], { cwd: nameless });
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining('gbuild.yml:1:1  name is missing: expected text\n'),
    ]);
    expect(stderr).toContain('  try: write "name: shop" in gbuild.yml   # package.json (name) says shop\n');
    const bare = cli.repository('e2e-no-spec', files);
    const unknown = await cli.run(['plan', 'lint'], { cwd: bare });
    expect([unknown.exitCode, unknown.stderr]).toEqual([
      2,
      expect.stringContaining('try: gbuild init   # writes gbuild.yml\n'),
    ]);
  });

  test('with --verbose a task says what its container gets, without values of variables', async () => {
    const cwd = cli.tasks('e2e-verbose', 'env: {TOKEN: hush}\nresources: {memory: 512m}\ntasks:\n  test: "true"\n');
    const { exitCode, stderr } = await cli.run(['test', '-v'], { cwd });
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/test: image {6}\S+/)]);
    expect(stderr).toMatch(/test: mount {6}\S+ -> \/workspace/);
    expect(stderr).toMatch(/test: variables {2}.*\bTOKEN\b/);
    expect(stderr).toMatch(/test: limits {5}.*of memory, .*processes/);
    expect(stderr).not.toContain('hush');
    expect((await cli.run(['test'], { cwd })).stderr).not.toContain('variables');
  });

  test('is 3 when no engine answers', async () => {
    const cwd = cli.tasks('e2e-no-engine', 'tasks:\n  test: "true"\n');
    const env = { DOCKER_HOST: `unix://${cli.dir}/nowhere.sock` };
    const { exitCode, stderr } = await cli.run(['test'], { cwd, env });
    expect([exitCode, cli.plain(stderr)]).toMatchInlineSnapshot(`
      [
        3,
        "error: cannot reach the container engine at unix://<dir>/nowhere.sock (from DOCKER_HOST): there is no such socket
        try: unset DOCKER_HOST   # to use the local engine
        try: gbuild doctor
      ",
      ]
    `);
  });

  test('is 4 when a task runs into its time limit', async () => {
    const cwd = cli.tasks('e2e-slow', 'tasks:\n  test: {run: [sleep, "600"], timeout: 1s}\n');
    const { exitCode, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, cli.plain(stderr)]).toMatchInlineSnapshot(`
      [
        4,
        "gbuild-test/base:bookworm is gbuild-test/base bookworm: written to gbuild.lock; commit it
      > test: sleep 600
      error: task test ran longer than its time limit of <time> and was stopped
        try: raise tasks.test.timeout in gbuild.yml
      ",
      ]
    `);
    expect(await listLeft(engine, 'io.gbuild.repository=e2e-slow')).toEqual(nothingLeft);
  });
});

describe('a graph of tasks', () => {
  test('runs independent tasks at the same time and the one that needs both after them', async () => {
    const meet = (own: string, other: string) =>
      `{run: "touch ${own}; for i in $(seq 600); do [ -e ${other} ] && exit 0; sleep 0.1; done; exit 9"}`;
    const cwd = cli.tasks(
      'e2e-graph',
      `tasks:\n  left: ${meet('l', 'r')}\n  right: ${meet('r', 'l')}\n  test: {run: "ls l r", needs: [left, right]}\n`,
    );
    const { exitCode, stdout } = await cli.run(['test'], { cwd });
    expect([exitCode, stdout]).toEqual([0, 'test | l\ntest | r\n']);
  });

  test('skips what needs a failed task, runs the rest, and says so', async () => {
    const cwd = cli.tasks(
      'e2e-skip',
      'tasks:\n  broken: exit 5\n  fine: touch fine\n  between: {run: touch between, needs: [broken]}\n  test: {run: "true", needs: [between, fine]}\n',
    );
    const { exitCode, stdout } = await cli.run(['test', '--json'], { cwd });
    const { error } = JSON.parse(stdout) as { error: { message: string; facts: { tasks: object[] } } };
    expect([exitCode, cli.plain(error.message), error.facts.tasks]).toEqual([
      5,
      'task broken failed with exit code 5; skipped: between, test (<time>)',
      expect.arrayContaining([
        expect.objectContaining({ name: 'broken', state: 'failed', exitCode: 5 }),
        expect.objectContaining({ name: 'fine', state: 'passed' }),
        { name: 'between', state: 'skipped', because: 'broken did not succeed' },
        { name: 'test', state: 'skipped', because: 'between did not succeed' },
      ]),
    ]);
    expect([existsSync(join(cwd, 'fine')), existsSync(join(cwd, 'between'))]).toEqual([true, false]);
  });

  test('refuses a circle before anything runs', async () => {
    const cwd = cli.tasks('e2e-circle', 'tasks:\n  a: {run: "true", needs: [b]}\n  b: {run: "true", needs: [a]}\n');
    const { exitCode, stderr } = await cli.run(['run', 'a'], { cwd });
    expect([exitCode, cli.plain(stderr)]).toMatchInlineSnapshot(`
      [
        2,
        "error: one mistake in gbuild.yml

        gbuild.yml:5:28  tasks.a.needs[0]: expected tasks that do not need this one, found a cycle: a needs b needs a
            4 | tasks:
          > 5 |   a: {run: "true", needs: [b]}
              |                            ^
      ",
      ]
    `);
  });
});

describe('what a task gets', () => {
  test('arguments after -- reach the named task, word by word, and no task it needs', async () => {
    const cwd = cli.tasks(
      'e2e-args',
      `tasks:\n  first: 'echo "first got $#"'\n  script: {run: "printf '<%s>\\n'", needs: [first]}\n  list: {run: [printf, '<%s>\\n']}\n`,
    );
    const words = ['a b', '', '--json', '$HOME', "it's", '*'];
    const shown = words.map((word) => `<${word}>\n`).join('');
    expect((await cli.run(['run', 'script', '--', ...words], { cwd })).stdout).toBe(`first got 0\n${shown}`);
    expect((await cli.run(['run', 'list', '--', ...words], { cwd })).stdout).toBe(shown);
  });

  test("variables come from the spec and the allow-list, and no other of the caller's is seen", async () => {
    const cwd = cli.tasks(
      'e2e-env',
      'env: {COMMON: spec, OWN: spec}\npassEnv: [GIVEN, "AWS_*", EMPTY, ABSENT]\ntasks:\n  test: {run: env, env: {OWN: task}}\n',
    );
    const env = { GIVEN: 'two\nlines', AWS_REGION: 'moon', EMPTY: '', SECRET_TOKEN: 'hush', AWSX: 'hush' };
    const { stdout, stderr } = await cli.run(['test', '--verbose'], { cwd, env });
    const lines = stdout.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining(['COMMON=spec', 'OWN=task', 'GIVEN=two', 'lines', 'AWS_REGION=moon', 'EMPTY=']),
    );
    expect(stdout + stderr).not.toMatch(/hush|ABSENT|XDG_|DOCKER_HOST/);
  });

  test('a working folder below the workspace', async () => {
    const cwd = cli.tasks('e2e-workdir', 'tasks:\n  test: {run: pwd, workdir: sub/dir}\n', { 'sub/dir/file': 'x' });
    expect((await cli.run(['test'], { cwd })).stdout).toBe('/workspace/sub/dir\n');
  });

  test('the workspace, whatever its folder is called and wherever in it the caller stands', async () => {
    const cwd = cli.tasks('e2e-odd', 'tasks:\n  test: cat note && echo out > made\n', { note: 'a note\n' });
    const odd = join(cli.dir, 'ein Ordner: ümlaut 日本 \'quoted\', "double" $HOME');
    mkdirSync(join(odd, 'deep/er'), { recursive: true });
    for (const file of ['gbuild.yml', 'note']) writeFileSync(join(odd, file), readFileSync(join(cwd, file)));
    const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd: join(odd, 'deep/er') });
    expect([exitCode, stdout], stderr).toEqual([0, 'a note\n']);
    expect(readFileSync(join(odd, 'made'), 'utf8')).toBe('out\n');
  });

  test('reports it wrote are listed', async () => {
    const cwd = cli.tasks(
      'e2e-reports',
      'tasks:\n  test: {run: "mkdir -p out; echo ok > out/a.xml; echo ok > out/b.xml; exit 3", reports: ["out/*.xml"]}\n',
    );
    const { stdout } = await cli.run(['test', '--json'], { cwd });
    expect(JSON.parse(stdout).error.facts.tasks[0].reports).toEqual(['out/a.xml', 'out/b.xml']);
  });
});

describe('where a repository has no gbuild.yml', () => {
  const files = {
    'package.json': JSON.stringify({
      name: '@acme/e2e-detected',
      engines: { node: '^22' },
      scripts: { test: 'node check.js', start: 'node check.js' },
    }),
    'check.js': 'console.log("checked by", process.version.split(".")[0]);\n',
  };

  test('a run says what it assumed, and init writes it down so that the next run assumes nothing', async () => {
    const cwd = cli.repository('detected', files);
    const first = await cli.run(['test'], { cwd });
    expect([first.exitCode, first.stdout.includes('checked by v22')], first.stderr).toEqual([0, true]);
    expect(first.stderr).toContain('"gbuild init" writes these assumptions down');
    const init = await cli.run(['init'], { cwd });
    expect([init.exitCode, cli.plain(init.stdout)]).toMatchInlineSnapshot(`
      [
        0,
        "name: package.json (name) says e2e-detected
      toolchain: package.json (engines.node) asks for ^22
      tasks.install: package.json says what the project depends on
      tasks.test: package.json has a script "test"
      image.entrypoint: package.json has a script "start"
      wrote <dir>/detected/gbuild.yml; try: gbuild test
      ",
      ]
    `);
    const second = await cli.run(['test'], { cwd });
    expect([second.exitCode, second.stdout.includes('checked by v22')], second.stderr).toEqual([0, true]);
    expect(second.stderr).not.toContain('assum');
    const again = await cli.run(['init'], { cwd });
    expect([again.exitCode, cli.plain(again.stderr)]).toMatchInlineSnapshot(`
      [
        2,
        "error: <dir>/detected/gbuild.yml exists already and was not changed
        try: gbuild plan
        try: mv <dir>/detected/gbuild.yml <dir>/detected/gbuild.yml.old && gbuild init
      ",
      ]
    `);
  });

  test('and nothing that tells how it is built, the caller is told what to write', async () => {
    const cwd = cli.repository('unknown', { 'README.md': 'hello\n' });
    const { exitCode, stderr } = await cli.run(['test'], { cwd });
    expect([exitCode, cli.plain(stderr)]).toMatchInlineSnapshot(`
      [
        2,
        "error: no gbuild.yml in <dir>/unknown, and none of its files says how to build it
        try: gbuild init --toolchain NAME   # one of jruby, jvm, node, ruby, sbt, an image or a folder
        try: gbuild test --directory your/repository
      ",
      ]
    `);
  });
});

describe('a toolchain', () => {
  test('may be a folder of the repository with a Dockerfile; a changed one is made anew', async () => {
    const dockerfile = (word: string) => `FROM ${inject('baseImage')} AS build\nRUN echo ${word} > /made\n`;
    const cwd = cli.repository('folder', {
      'gbuild.yml': 'gbuild: 1\nname: e2e-folder\ntoolchain: ./tools\ntasks:\n  test: cat /made\n',
      'tools/Dockerfile': dockerfile('one'),
    });
    const tags: string[] = [];
    for (const word of ['one', 'two']) {
      writeFileSync(join(cwd, 'tools/Dockerfile'), dockerfile(word));
      const { exitCode, stdout, stderr } = await cli.run(['test', '--json', '--no-frozen'], { cwd });
      expect(exitCode, stderr).toBe(0);
      expect(stderr).toContain(`${word}\n`);
      expect(stderr).not.toContain('waiting for');
      tags.push(JSON.parse(stdout).toolchain.reference);
    }
    expect(new Set(tags).size).toBe(2);
    await Promise.all(tags.map((tag) => removeTestImage(engine, tag)));
  });
});
