import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { collectRules } from '../../../src/actions/image/collect-layers.ts';
import { TaskTimes } from '../../../src/actions/run/task-times.ts';
import { layersOf } from '../../../src/plan/image-plan.ts';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { readChoices } from '../../../src/toolchain/detect/choices.ts';
import { readDefaults } from '../../../src/toolchain/detect/defaults.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../../images')]);

function defaultsOf(rootDir: string, toolchain: string) {
  const { data } = catalog.find(toolchain)!;
  return readDefaults(rootDir, data, readChoices(rootDir, data));
}
const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

function writeTree(files: Record<string, string>): string {
  const rootDir = mkdtempSync(join(tmpdir(), 'gbuild-layers-'));
  dirs.push(rootDir);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(rootDir, path)), { recursive: true });
    writeFileSync(join(rootDir, path), text);
  }
  return rootDir;
}

/** Places in the image of the files that go in, by a toolchain's rules or the spec's own. */
async function listPacked(rootDir: string, toolchain: string, layers = 'auto'): Promise<string[]> {
  const { spec } = parseSpec(`gbuild: 1\nname: a\ntoolchain: ${toolchain}\nimage: { layers: ${layers} }\n`);
  const defaults = defaultsOf(rootDir, toolchain);
  const collected = await collectRules({
    rootDir,
    rules: layersOf({ spec, defaults }),
    host: { env: {}, cacheDir: join(rootDir, '../none') },
  });
  return collected.flatMap(({ entries }) => entries.filter(({ type }) => type === 'file').map(({ path }) => path));
}

describe('files that may hold credentials', () => {
  const token = {
    '.npmrc': 'token',
    '.yarnrc.yml': 'token',
    '.env': 'token',
    '.env.production': 'token',
    '.netrc': 'token',
    '.bundle/config': 'token',
    'config/.npmrc': 'token',
  };
  const gems = {
    'vendor/bundle/.gbuild-production': 'vendor/bundle/ruby/3.3.0/gems/a-1\n',
    'vendor/bundle/ruby/3.3.0/gems/a-1/.env': 'token',
    'vendor/bundle/ruby/3.3.0/gems/a-1/lib/a.rb': '',
    'public/assets/.env': 'token',
  };
  /** What each toolchain packs, in every place that its rules take files from. */
  const trees: Record<string, Record<string, string>> = {
    node: {
      'package.json': '{"scripts": {"build": "make dist"}}',
      'pnpm-lock.yaml': '',
      'node_modules/.gbuild-stage/.npmrc': 'token',
      'node_modules/.gbuild-stage/pnpm-lock.yaml': '',
      'node_modules/.gbuild-stage/node_modules/ms/index.js': '',
      'node_modules/.gbuild-stage/node_modules/ms/.npmrc': 'token',
      'dist/.env': 'token',
      ...token,
    },
    ruby: { Gemfile: '', ...gems, ...token },
    jruby: { Gemfile: '', ...gems, ...token },
    jvm: { 'pom.xml': '', 'target/gbuild/application/a.jar': '', 'target/gbuild/application/.env': 'token', ...token },
    sbt: {
      'build.sbt': '',
      'target/gbuild/application/start': '',
      'target/gbuild/application/.env': 'token',
      ...token,
    },
  };

  test.each(catalog.names)('stay out of every layer of %s', async (toolchain) => {
    expect(Object.keys(trees)).toContain(toolchain);
    const packed = await listPacked(writeTree(trees[toolchain]!), toolchain);
    expect(packed).not.toEqual([]);
    expect(packed.filter((path) => /\.(npmrc|yarnrc|env|netrc)|bundle\/config/.test(path))).toEqual([]);
  });

  test("go in where gbuild.yml's own layers name the very file", async () => {
    const rootDir = writeTree({ ...token, 'server.js': '' });
    const layers =
      '[{name: all, from: [.]}, {name: settings, from: [./.npmrc]}, {name: one, from: [.], include: [config/.npmrc]}]';
    expect(await listPacked(rootDir, 'node', layers)).toEqual(['app/server.js', 'app/.npmrc', 'app/config/.npmrc']);
  });
});

describe('of a checkout that was built', () => {
  const runGit = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'protocol.file.allow=always', '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      cwd,
    });

  /** A repository with a submodule in which a person left a file, and a task made others. */
  async function buildCheckout(): Promise<{
    rootDir: string;
    host: { env: Record<string, string>; cacheDir: string };
  }> {
    const shared = writeTree({ 'prices.js': '', '.gitignore': 'local.txt\n' });
    const rootDir = writeTree({
      'package.json': '{"workspaces": ["packages/*"]}',
      'packages/api/package.json': '{}',
      'server.js': '',
      'test/data.json': '',
      'README.md': '',
      'notes.txt': '',
      '.gitignore': 'node_modules/\ndist/\n/app.js\n/mine/\n.next/\n',
      '.dockerignore': 'notes.txt\ndist\n',
    });
    for (const dir of [shared, rootDir]) runGit(dir, 'init', '-q');
    runGit(shared, 'add', '-A');
    runGit(shared, 'commit', '-qm', 'shared');
    runGit(rootDir, 'submodule', '--quiet', 'add', shared, 'vendor/shared');
    runGit(rootDir, 'add', '-A');
    runGit(rootDir, 'commit', '-qm', 'all');
    const write = (path: string) => {
      mkdirSync(dirname(join(rootDir, path)), { recursive: true });
      writeFileSync(join(rootDir, path), '');
    };
    for (const path of ['mine/data.txt', 'vendor/shared/local.txt', 'dist/of-yesterday.js', 'new.js']) write(path);
    mkdirSync(join(rootDir, 'left-behind'));
    runGit(rootDir, 'status');
    const host = { env: {}, cacheDir: join(rootDir, '../', `${basename(rootDir)}-cache`) };
    dirs.push(host.cacheDir);
    await new TaskTimes(host, rootDir).around(async () => {
      for (const path of ['app.js', 'packages/api/dist/main.js', '.next/server/a.js', '.next/cache/large']) write(path);
      for (const path of ['node_modules/ms/index.js', 'packages/api/node_modules/ms/index.js']) write(path);
      mkdirSync(join(rootDir, 'uploads'));
    });
    return { rootDir, host };
  }

  async function listByLayer(isUntouched: boolean): Promise<Record<string, string[]>> {
    const { rootDir, host } = await buildCheckout();
    const { spec } = parseSpec('gbuild: 1\nname: a\ntoolchain: node\n');
    const rules = layersOf({ spec, defaults: defaultsOf(rootDir, 'node') });
    const collected = await collectRules({ rootDir, rules, host, isUntouched });
    const hasNone = (path: string, paths: string[]) => !paths.some((other) => other.startsWith(`${path}/`));
    return Object.fromEntries(
      collected.map(({ name, entries }) => {
        const paths = entries.map(({ path }) => path);
        return [name, paths.filter((path) => hasNone(path, paths))];
      }),
    );
  }

  test('an image has what tasks made and what is no secret of git, but not what a person left there', async () => {
    expect(await listByLayer(false)).toEqual({
      dependencies: ['app/node_modules/ms/index.js', 'app/packages/api/node_modules/ms/index.js'],
      outputs: [
        'app/.next/server/a.js',
        'app/app.js',
        'app/dist/of-yesterday.js',
        'app/packages/api/dist/main.js',
        'app/uploads',
      ],
      application: [
        'app/README.md',
        'app/new.js',
        'app/package.json',
        'app/packages/api/package.json',
        'app/server.js',
        'app/test/data.json',
        'app/vendor/shared/.gitignore',
        'app/vendor/shared/prices.js',
      ],
    });
  });

  test('a release, which is built where nothing lay about, has all that git ignores', async () => {
    const { outputs } = await listByLayer(true);
    expect(outputs).toEqual(expect.arrayContaining(['app/mine/data.txt', 'app/vendor/shared/local.txt']));
    expect(outputs).not.toContain('app/.next/cache/large');
  });
});

test('of gems only those that the stage lists are packed, without what compiling them left', async () => {
  const gem = 'vendor/bundle/ruby/3.3.0/gems/native-1';
  const rootDir = writeTree({
    Gemfile: '',
    '.ruby-version': '',
    'vendor/bundle/.gbuild-production': `${gem}\nvendor/bundle/ruby/3.3.0/specifications/native-1.gemspec\n`,
    [`${gem}/lib/native.rb`]: '',
    [`${gem}/lib/native.so`]: '',
    [`${gem}/ext/native/native.c`]: '',
    [`${gem}/ext/native/native.o`]: '',
    [`${gem}/ext/native/Makefile`]: '',
    [`${gem}/ext/native/mkmf.log`]: '',
    'vendor/bundle/ruby/3.3.0/gems/native-10/lib/other.rb': '',
    'vendor/bundle/ruby/3.3.0/specifications/native-1.gemspec': '',
    'vendor/bundle/.gbuild-evaluated/gems/own/own.gemspec': '',
    'vendor/bundle/.gitignore': '*',
    'vendor/cache/native-1.gem': '',
  });
  const at = `app/${gem}`;
  expect(await listPacked(rootDir, 'ruby')).toEqual([
    `${at}/ext/native/native.c`,
    `${at}/lib/native.rb`,
    `${at}/lib/native.so`,
    'app/vendor/bundle/ruby/3.3.0/specifications/native-1.gemspec',
    'app/.ruby-version',
    'app/Gemfile',
    'app/gems/own/own.gemspec',
  ]);
});
