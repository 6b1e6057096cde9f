import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { readChoices } from '../../../src/toolchain/detect/choices.ts';
import { readDefaults } from '../../../src/toolchain/detect/defaults.ts';
import { detectToolchain } from '../../../src/toolchain/detect/detect.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../../images')]);
const nodeData = catalog.find('node')!.data;

async function detect(files: Record<string, string>) {
  await using repository = await createFixture(files);
  return detectToolchain(repository.path, catalog);
}

const json = (value: unknown) => JSON.stringify(value);

test('a package.json says name, version, tasks and what to start, each with its reason', async () => {
  const detection = await detect({
    'package.json': json({
      name: '@acme/Shop.Front',
      engines: { node: '^22' },
      scripts: { build: 'tsc', test: 'node --test', start: 'node dist/server.js --port=80' },
    }),
  });
  const { examples: _, ...seen } = detection!;
  expect(seen).toMatchInlineSnapshot(`
    {
      "assumptions": [
        {
          "because": "package.json (name) says Shop.Front",
          "key": "name",
        },
        {
          "because": "package.json (engines.node) asks for ^22",
          "key": "toolchain",
        },
        {
          "because": "package.json says what the project depends on",
          "key": "tasks.install",
        },
        {
          "because": "package.json has a script "build"",
          "key": "tasks.build",
        },
        {
          "because": "package.json has a script "test"",
          "key": "tasks.test",
        },
        {
          "because": "package.json has a script "start"",
          "key": "image.entrypoint",
        },
      ],
      "image": {
        "entrypoint": [
          "node",
          "dist/server.js",
          "--port=80",
        ],
      },
      "name": "shop.front",
      "others": [],
      "tasks": {
        "build": {
          "needs": [
            "install",
          ],
          "run": "npm run build",
        },
        "install": "install-dependencies",
        "test": {
          "needs": [
            "install",
            "build",
          ],
          "run": "npm test",
        },
      },
      "toolchain": "node@^22",
    }
  `);
});

test('the version is taken from the first file that says one', async () => {
  const engines = { 'package.json': json({ name: 'a', engines: { node: '>=20 <23' } }) };
  const found = await Promise.all([
    detect(engines),
    detect({ ...engines, '.nvmrc': 'v22.21.1\n' }),
    detect({ ...engines, '.nvmrc': 'lts/jod\n' }),
    detect({ ...engines, '.nvmrc': '22', '.node-version': '24.1.0\r\n' }),
    detect({ ...engines, '.tool-versions': 'ruby 3.3.0\nnodejs 20.11.1\n' }),
    detect({ 'package.json': json({ name: 'a', volta: { node: '20.9.0' } }) }),
    detect({ 'package.json': '{}' }),
  ]);
  expect(found.map((each) => each?.toolchain)).toEqual([
    'node@>=20 <23',
    'node@22.21.1',
    'node@^22',
    'node@24.1.0',
    'node@20.11.1',
    'node@20.9.0',
    'node@^24',
  ]);
});

test('a toolchain that stands instead of another leaves no question which of the two it is', async () => {
  const mri = await detect({ Gemfile: '', 'package.json': '{}' });
  expect([mri?.toolchain, mri?.others]).toEqual(['ruby@^3', ['node']]);
  const jruby = await detect({ Gemfile: '', '.ruby-version': 'jruby-9.4.15.0\n', 'package.json': '{}' });
  expect([jruby?.toolchain, jruby?.others]).toEqual(['jruby@9.4.15.0', ['node']]);
});

test('a repository without a package.json is not known, a broken one is Node without tasks', async () => {
  expect(await detect({ Makefile: 'all:' })).toBeUndefined();
  expect((await detect({ 'package.json': '{ not json' }))?.tasks).toEqual({ install: 'install-dependencies' });
});

test('the test script that npm init writes is no test', async () => {
  const scripts = { test: 'echo "Error: no test specified" && exit 1' };
  expect(Object.keys((await detect({ 'package.json': json({ scripts }) }))?.tasks ?? {})).toEqual(['install']);
});

test('test needs build only where there is one', async () => {
  const tasks = (scripts: object) => detect({ 'package.json': json({ scripts }) }).then((found) => found?.tasks);
  expect(await tasks({ test: 'x' })).toMatchObject({ test: { needs: ['install'] } });
  expect(await tasks({ test: 'x', build: 'y' })).toMatchObject({ test: { needs: ['install', 'build'] } });
});

test('the name is one that an image may have', async () => {
  const names = await Promise.all(
    ['@acme/web', 'Hello World', 'a_.b', 'a__b', '-x-', '@s/Ünï'].map((name) =>
      detect({ 'package.json': json({ name }) }),
    ),
  );
  expect(names.map((each) => each?.name)).toEqual(['web', 'hello-world', 'a-b', 'a__b', 'x', 'n']);
});

test('where the repository lives is read from both forms of package.json', async () => {
  const originOf = async (repository: unknown) => {
    await using fixture = await createFixture({ 'package.json': JSON.stringify({ repository }) });
    return readDefaults(fixture.path, nodeData).origin;
  };
  expect(await originOf('https://example.org/a')).toBe('https://example.org/a');
  expect(await originOf({ type: 'git', url: 'git+https://example.org/b' })).toBe('git+https://example.org/b');
  expect(await originOf(undefined)).toBeUndefined();
});

test('a simple start script becomes an argv, any other goes through a shell', async () => {
  const start = async (script: string) =>
    (await detect({ 'package.json': json({ scripts: { start: script } }) }))?.image?.entrypoint;
  expect(await start('node dist/server.js --port 80')).toEqual(['node', 'dist/server.js', '--port', '80']);
  expect(await start('node --max-old-space-size=512 x.js')).toEqual(['node', '--max-old-space-size=512', 'x.js']);
  expect(await start('node "my app.js"')).toEqual(['node', 'my app.js']);
  expect(await start('exec node a.js')).toEqual(['node', 'a.js']);
  expect(await start('node a.js | tee log')).toEqual(['/bin/sh', '-c', 'node a.js | tee log']);
});

test('a shell that starts a single command gives it its own place, so that a SIGTERM reaches it', async () => {
  const start = async (script: string) =>
    (await detect({ 'package.json': json({ scripts: { start: script } }) }))?.image?.entrypoint?.[2];
  expect(await start('NODE_ENV=x node a.js')).toBe('NODE_ENV=x exec node a.js');
  expect(await start(`A=$B C=\${D} node a.js`)).toBe(`A=$B C=\${D} exec node a.js`);
  expect(await start(`node $FILE --port \${PORT:-3000}`)).toBe(`exec node $FILE --port \${PORT:-3000}`);
  expect(await start('./bin/server >log 2>/dev/null *.conf')).toBe('exec ./bin/server >log 2>/dev/null *.conf');
  const left = [
    'exec node $X',
    'node a.js; wait',
    '(node a.js)',
    'cd $X',
    'A="b c" node a.js',
    '$NODE a.js',
    'node a.js $(cat x)',
    '. ./x $Y',
    'node "a;b" $X',
    'A=b',
  ];
  for (const line of left) expect(await start(line)).toBe(line);
});

test('a start script that calls another one starts what that runs, and one that needs a package manager is not taken', async () => {
  const start = async (scripts: object, files: Record<string, string> = {}) => {
    const found = await detect({ 'package.json': json({ scripts }), ...files });
    const { because } = found!.assumptions.find(({ key }) => key === 'image.entrypoint') ?? {};
    return [...(found?.image?.entrypoint ?? []), because];
  };
  const why = 'package.json has a script "start"';
  expect(await start({ start: 'npm run start:prod', 'start:prod': 'node dist/main' })).toEqual([
    'node',
    'dist/main',
    `${why}, which runs "start:prod"`,
  ]);
  expect(await start({ start: 'yarn serve', serve: 'pnpm run a.b', 'a.b': 'node x.js' })).toEqual([
    'node',
    'x.js',
    `${why}, which runs "serve", which runs "a.b"`,
  ]);
  // What the repository says is not replaced by a guess.
  expect(await start({ start: 'NODE_ENV=x exec npx serve' }, { 'server.js': '' })).toEqual([undefined]);
  expect(await start({ start: 'npm run start' })).toEqual([undefined]);
});

test('a start that builds first, or runs others before it, starts what is left when the tasks are done', async () => {
  const start = async (scripts: object, files: Record<string, string> = {}) =>
    (await detect({ 'package.json': json({ scripts }), ...files }))?.image?.entrypoint;
  const node = ['node', 'x.js'];
  for (const line of ['npm run build && node x.js', 'npm ci && npm run build --if-present && node x.js'])
    expect([line, await start({ start: line, build: 'tsc' })]).toEqual([line, node]);
  expect(await start({ start: 'yarn && yarn build && yarn serve', build: 'tsc', serve: 'node x.js' })).toEqual(node);
  expect(await start({ start: 'node x.js', prestart: 'npm run build', build: 'tsc' })).toEqual(node);
  const both = ['/bin/sh', '-c', 'node migrate.js && exec node x.js'];
  expect(await start({ start: 'npm run migrate && node x.js', migrate: 'node migrate.js' })).toEqual(both);
  expect(await start({ start: 'node x.js', prestart: 'node migrate.js' })).toEqual(both);
  expect(await start({ start: 'npm run up', preup: 'node migrate.js', up: 'node x.js' })).toEqual(both);
  expect(await start({ start: 'A=b node x.js', prestart: 'node a.js; node b.js' })).toEqual([
    '/bin/sh',
    '-c',
    '{ node a.js; node b.js\n} && A=b exec node x.js',
  ]);
  expect(await start({ start: 'cd server && npm run up', up: 'node x.js' })).toBeUndefined();
  expect(await start({ start: 'cd server && node x.js' })).toEqual(['/bin/sh', '-c', 'cd server && exec node x.js']);
  expect(await start({ start: 'node x.js', prestart: 'npm run build:all && npx migrate' })).toBeUndefined();
  for (const scripts of ['{x', 7, null]) {
    const files = { 'package.json': json({ scripts }), Procfile: 'web: npm run up && node x.js\n' };
    expect((await detect(files))?.image?.entrypoint).toBeUndefined();
  }
  expect(await start({ start: 'nodemon' }, { Procfile: 'release: node r.js\nweb: node x.js\n' })).toEqual(node);
  expect(await start({ start: 'node x.js', prestart: 'node migrate.js' }, { Procfile: 'web: npm start\n' })).toEqual(
    both,
  );
});

test('a main file that is not there is not started, but one that a build may make is', async () => {
  const start = async (value: object, files: Record<string, string> = {}) =>
    (await detect({ 'package.json': json(value), ...files }))?.image?.entrypoint;
  expect(await start({ main: 'index.js' })).toBeUndefined();
  expect(await start({ main: 'lib/index' }, { 'lib/index.js': '' })).toEqual(['node', 'lib/index']);
  expect(await start({ main: 'lib' }, { 'lib/index.js': '' })).toEqual(['node', 'lib']);
  expect(await start({ main: 'dist/x.js', scripts: { build: 'tsc' } })).toEqual(['node', 'dist/x.js']);
});

test('of two that fit, the one with something to build, test or start comes first', async () => {
  const npm = { 'package.json': json({ scripts: { test: 'x' } }) };
  const danger = await detect({ ...npm, Gemfile: 'gem "danger"' });
  expect([danger?.toolchain, danger?.others]).toEqual(['node@^24', ['ruby']]);
  const rails = await detect({ ...npm, Gemfile: 'gem "rspec"' });
  expect([rails?.toolchain, rails?.others]).toEqual(['ruby@^3', ['node']]);
});

test('a server of the Gemfile is what an image starts where there is a config.ru for it', async () => {
  const Gemfile = "source 'https://gems.example.org'\ngem 'puma'\n";
  expect((await detect({ Gemfile }))?.image?.entrypoint).toBeUndefined();
  expect((await detect({ Gemfile, 'config.ru': '' }))?.image?.entrypoint).toContain('puma');
});

test('a gem without a Gemfile is Ruby, tested by its Rakefile and called as its gemspec says', async () => {
  const detection = await detect({ 'a.gemspec': "s.name = 'greeter'", Rakefile: 'Rake::TestTask.new' });
  expect(detection).toMatchObject({ name: 'greeter', toolchain: 'ruby@^3', tasks: { test: 'rake test' } });
});

test('of Maven and Gradle only the one that builds gives tasks and layers', async () => {
  const layersOf = async (files: Record<string, string>, asked = {}) => {
    await using repository = await createFixture(files);
    const { data } = catalog.find('jvm')!;
    const { layers, tasks } = readDefaults(repository.path, data, readChoices(repository.path, data, asked));
    return [
      tasks.build?.run,
      ...layers.map(({ from }) => from[0]!.split('/gbuild/')).map(([dir, layer]) => `${dir} ${layer}`),
    ];
  };
  const both = { 'pom.xml': '<project/>', gradlew: '', 'build.gradle': '' };
  expect(await layersOf(both)).toEqual([
    'mvn -B -ntp -DskipTests package',
    'target dependencies/',
    'target snapshots/',
    'target application/',
  ]);
  expect(await layersOf(both, { builder: 'gradle' })).toEqual([
    'sh ./gradlew --no-daemon assemble',
    'build dependencies/',
    'build snapshots/',
    'build application/',
  ]);
  expect((await detect(both))?.image?.entrypoint).toEqual(['java', '@/app/app.args']);
  expect((await detect({ 'build.gradle': '', gradlew: '' }))?.image?.entrypoint).toEqual(['/app/start']);
});

test('sbt stages where a file of project/ has sbt-native-packager, or Play, which brings it', async () => {
  const buildOf = async (plugin: string) =>
    (await detect({ 'build.sbt': '', 'project/any.sbt': `addSbtPlugin(${plugin} % "1.0")` }))?.tasks.build;
  expect(await buildOf('"com.github.sbt" % "sbt-native-packager"')).toBe('sbt stage');
  expect(await buildOf('"org.playframework" % "sbt-plugin"')).toBe('sbt stage');
  expect(await buildOf('"com.typesafe.play" % "sbt-plugin"')).toBe('sbt stage');
  expect(await buildOf('"com.eed3si9n" % "sbt-assembly"')).toBeUndefined();
});

test('a task that is assumed keeps its reports and variables', async () => {
  expect((await detect({ 'build.sbt': '' }))?.tasks.test).toEqual({
    run: 'sbt test',
    reports: ['**/target/test-reports/*.xml'],
  });
});

test('the name of an sbt build is found in the settings of its root', async () => {
  const text =
    'lazy val core = project.settings(name := "core")\nlazy val root = project.in(file(".")).settings(name := "shop")';
  expect((await detect({ 'build.sbt': text }))?.name).toBe('shop');
  const quoted =
    'lazy val root = (project in file("."))\n  .enablePlugins(PlayScala)\n  .settings(\n    name := """shop""",\n  )';
  expect((await detect({ 'build.sbt': quoted }))?.name).toBe('shop');
  expect(
    (await detect({ 'build.sbt': 'lazy val a = project.settings(organizationName := "x", name := "b")' }))?.name,
  ).toBe('b');
});

test('without a start script the main file or server.js is started', async () => {
  const files = { 'package.json': json({ main: 'lib/index.js' }), 'lib/index.js': '' };
  expect((await detect(files))?.image?.entrypoint).toEqual(['node', 'lib/index.js']);
  expect((await detect({ 'package.json': '{}', 'server.js': '' }))?.image?.entrypoint).toEqual(['node', 'server.js']);
  expect((await detect({ 'package.json': '{}' }))?.image).toBeUndefined();
});
