import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cli, type CliResult, openCli } from '../../support/cli/cli.ts';

let cli: Cli;

beforeAll(() => {
  cli = openCli({ engine: 'unix:///nonexistent/engine.sock', ownCache: true });
});

afterAll(() => cli[Symbol.dispose]());

/** What stands in the place of a file, by what it is. */
const kinds = {
  'a named pipe': (file: string) => execFileSync('mkfifo', [file]),
  'a link to a device': (file: string) => symlinkSync('/dev/zero', file),
  'a folder': (file: string) => mkdirSync(file),
  'a link to nothing': (file: string) => symlinkSync('nowhere', file),
  'a link to itself': (file: string) => symlinkSync(file, file),
  'a huge file': (file: string) => execFileSync('truncate', ['-s', '3G', file]),
};

type Kind = keyof typeof kinds;

const spec = 'gbuild: 1\nname: odd\ntoolchain: node@24\nimage: {entrypoint: [node, x.js]}\ntasks: {test: "true"}\n';
let count = 0;

/** A repository in which a file was replaced. */
function repositoryWith(kind: Kind, path: string, files: Record<string, string> = {}): string {
  const dir = cli.repository(`odd-${count++}`, { 'gbuild.yml': spec, 'package.json': '{"name": "odd"}', ...files });
  return place(kind, join(dir, path), dir);
}

function place(kind: Kind, file: string, dir: string): string {
  rmSync(file, { recursive: true, force: true });
  mkdirSync(dirname(file), { recursive: true });
  kinds[kind](file);
  return dir;
}

/** A limit for what hangs. */
async function run(args: string[], cwd: string, env: Record<string, string> = {}): Promise<CliResult> {
  const running = cli.start(args, { cwd, env });
  const timer = setTimeout(() => running.kill('SIGKILL'), 60_000);
  const ended = await running.ended;
  clearTimeout(timer);
  return ended;
}

const allKinds = Object.keys(kinds) as Kind[];

test.each(['gbuild.yml', 'gbuild.lock', 'catalog/own/toolchain.yml'])(
  '%s that is no file to read is refused',
  async (path) => {
    const own = { 'catalog/own/toolchain.yml': 'name: own\n', 'gbuild.yml': `${spec}catalogs: [catalog]\n` };
    const files = path.startsWith('catalog') ? own : {};
    for (const kind of allKinds) {
      const cwd = repositoryWith(kind, path, files);
      for (const args of [['plan'], ['test']]) {
        const { exitCode, stderr } = await run(args, cwd);
        expect([kind, args, exitCode, stderr]).toEqual([kind, args, 2, expect.stringContaining(path)]);
      }
    }
  },
);

test('an own config.yml that is no file to read is refused, but for one that is not there', async () => {
  const cwd = repositoryWith('a folder', 'nothing');
  const config = join(cli.dir, 'config');
  for (const kind of allKinds) {
    place(kind, join(config, 'gbuild/config.yml'), cwd);
    const { exitCode, stderr } = await run(['plan'], cwd, { XDG_CONFIG_HOME: config });
    const isAbsent = kind === 'a link to nothing';
    expect([kind, exitCode]).toEqual([kind, isAbsent ? 0 : 2]);
    if (!isAbsent) expect(stderr).toContain(join(config, 'gbuild/config.yml'));
  }
});

test('files that are only guessed from say nothing where they are none', async () => {
  for (const kind of allKinds) {
    const cwd = repositoryWith(kind, 'package.json');
    for (const path of ['.nvmrc', 'Gemfile', 'pom.xml']) place(kind, join(cwd, path), cwd);
    const { exitCode, stdout } = await run(['plan'], cwd);
    expect([kind, exitCode, stdout]).toEqual([kind, 0, expect.stringContaining('toolchain   node@24')]);
  }
});

test('settings of the home that tools in the container read are named where they cannot be read', async () => {
  const cwd = repositoryWith('a folder', 'nothing');
  const file = join(cli.dir, 'home/.npmrc');
  for (const kind of allKinds) {
    place(kind, file, cwd);
    const { exitCode, stderr } = await run(['plan'], cwd);
    expect([kind, exitCode]).toEqual([kind, kind === 'a link to nothing' ? 0 : 2]);
    if (exitCode !== 0) expect(stderr).toContain(`${file}, which tools in the container read, cannot be read`);
  }
  rmSync(file);
});

test('a catalog that is not there is shown where it is written', async () => {
  const cwd = cli.repository('no-catalog', { 'gbuild.yml': `${spec}catalogs:\n  - nope\n` });
  const { exitCode, stderr } = await run(['plan'], cwd);
  expect([exitCode, cli.plain(stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: one mistake in <dir>/no-catalog/gbuild.yml

      <dir>/no-catalog/gbuild.yml:7:5  catalogs[0]: expected a folder with toolchains, found "nope", which is not there
          6 | catalogs:
        > 7 |   - nope
            |     ^^^^
      try: correct catalogs[0] in <dir>/no-catalog/gbuild.yml
      try: ls <dir>/no-catalog
    ",
    ]
  `);
  const own = join(cli.dir, 'own-config');
  mkdirSync(join(own, 'gbuild'), { recursive: true });
  writeFileSync(join(own, 'gbuild/config.yml'), 'config: 1\ncatalogs: [~/nope]\n');
  const callers = await run(['plan'], cli.repository('plain', { 'gbuild.yml': spec }), { XDG_CONFIG_HOME: own });
  expect([callers.exitCode, cli.plain(callers.stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: one mistake in <dir>/own-config/gbuild/config.yml

      <dir>/own-config/gbuild/config.yml:2:12  catalogs[0]: expected a folder with toolchains, found "~/nope", which is not there
          1 | config: 1
        > 2 | catalogs: [~/nope]
            |            ^^^^^^
      try: correct catalogs[0] in <dir>/own-config/gbuild/config.yml
      try: ls <dir>/own-config/gbuild
    ",
    ]
  `);
});

test('a chain of five thousand tasks is planned', async () => {
  const tasks = Array.from(
    { length: 5000 },
    (_, at) => `  t${at}: {run: "true"${at > 0 ? `, needs: [t${at - 1}]` : ''}}`,
  );
  const text = `gbuild: 1\nname: chain\ntoolchain: node@24\nimage: {entrypoint: [node, x.js]}\ntasks:\n${tasks.join('\n')}\n`;
  const cwd = cli.repository('chain', { 'gbuild.yml': text });
  const { exitCode, stdout } = await run(['plan', 't4999'], cwd);
  expect([exitCode, stdout.split('\n').filter((line) => line.startsWith('task ')).length]).toEqual([0, 5000]);
  expect((await run(['plan', 'image'], cwd)).exitCode).toBe(0);
  const unknown = await run(['plan', 'nope'], cwd);
  expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining('t28, t29, 4970 more')]);
});

test('YAML that is deeper or grows larger than anybody means is a mistake, not a bug', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const bomb = names.map(
    (name, at) =>
      `${name}: &${name} [${Array(9)
        .fill(at === 0 ? 'x' : `*${names[at - 1]}`)
        .join(', ')}]`,
  );
  const texts = {
    deep: `x: ${'['.repeat(100_000)}`,
    'deep blocks': `x:\n  ${'? '.repeat(100_000)}`,
    bomb: bomb.join('\n'),
  };
  for (const [what, text] of Object.entries(texts)) {
    const inSpec = cli.repository(`yaml-${count++}`, { 'gbuild.yml': `${spec}${text}\ncatalogs: [c]\n` });
    const inCatalog = cli.repository(`yaml-${count++}`, {
      'gbuild.yml': `${spec}catalogs: [c]\n`.replace('node@24', 'own'),
      'c/own/toolchain.yml': `name: own\n${text}\n`,
    });
    const inLock = cli.repository(`yaml-${count++}`, { 'gbuild.yml': spec, 'gbuild.lock': `lock: 1\n${text}\n` });
    for (const cwd of [inSpec, inCatalog, inLock]) {
      const { exitCode, stderr } = await run(['plan'], cwd);
      expect([what, exitCode, stderr]).toEqual([
        what,
        2,
        expect.stringMatching(/gbuild\.yml|gbuild\.lock|toolchain\.yml/),
      ]);
    }
  }
});

test('a .git that is none is passed over as git does, or named', async () => {
  const named: Kind[] = allKinds.filter((kind) => kind !== 'a folder' && kind !== 'a link to nothing');
  for (const kind of allKinds) {
    const cwd = repositoryWith(kind, '.git');
    expect([kind, (await run(['plan'], cwd)).exitCode]).toEqual([kind, 0]);
    const { exitCode, stderr } = await run(['plan', 'image'], cwd);
    expect([kind, exitCode]).toEqual([kind, named.includes(kind) ? 2 : 0]);
    if (exitCode !== 0) expect(stderr).toContain(`${cwd}/.git cannot be read`);
  }
  for (const text of ['gitdir: a\0b', `gitdir: ${'x/'.repeat(5000)}`, 'gitdir: gbuild.yml/x']) {
    const cwd = repositoryWith('a folder', '.git');
    rmSync(join(cwd, '.git'), { recursive: true });
    writeFileSync(join(cwd, '.git'), text);
    expect((await run(['plan', 'image'], cwd)).exitCode).toBe(2);
  }
});
