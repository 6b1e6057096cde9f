import { describe, expect, test } from 'vitest';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { corpus } from '../corpus.ts';
import { specWith } from '../mistakes-of.ts';

const toolchainOf = (yaml: string) => parseSpec(`gbuild: 1\nname: hello\ntoolchain: ${yaml}\n`).spec.toolchain;
const imageOf = (yaml: string) => parseSpec(specWith(`tasks: {build: make}\nimage: ${yaml}\n`)).spec.image;
const taskOf = (yaml: string) => parseSpec(specWith(`tasks:\n  t: ${yaml}\n`)).spec.tasks.t;

test('every spec of the corpus is read without a warning', () => {
  for (const [name, text] of Object.entries(corpus))
    expect({ name, warnings: parseSpec(text).warnings }).toEqual({ name, warnings: [] });
});

test('a spec that says the least gets every default', () => {
  expect(parseSpec(corpus.smallest!).spec).toEqual({
    gbuild: 1,
    name: 'hello',
    toolchain: { kind: 'catalog', request: 'node', name: 'node', range: '*', options: {} },
    env: {},
    passEnv: [],
    secrets: {},
    catalogs: [],
    caches: 'auto',
    resources: { pids: 4096 },
    network: 'bridge',
    sync: { include: [] },
    services: {},
    tasks: {},
    image: { base: 'auto', layers: 'auto', build: undefined, expose: [], env: {}, labels: {} },
    deliver: { service: { env: {}, volumes: [] }, channels: {}, targets: {} },
  });
});

test('a spec that says everything is read whole, units turned into numbers and paths into one spelling', () => {
  expect(parseSpec(corpus.everything!).spec).toEqual({
    gbuild: 1,
    name: 'shop.api',
    toolchain: {
      kind: 'catalog',
      request: 'node@>=22 <25',
      name: 'node',
      range: '>=22 <25',
      options: { packages: ['git', 'curl'], corepack: true },
    },
    env: {},
    passEnv: [],
    secrets: {},
    catalogs: [],
    caches: [
      { name: 'npm', path: '/cache/npm', env: { npm_config_cache: '/cache/npm' } },
      { name: 'next', path: '/cache/next' },
    ],
    resources: { cpus: 1.5, memory: 512 * 1024 ** 2, pids: 100 },
    network: 'none',
    sync: { include: ['.env', 'vendor/**'] },
    services: {},
    tasks: {
      'lint:js': {
        run: ['npx', 'biome', '.'],
        needs: [],
        env: { FORCE_COLOR: '1' },
        secrets: [],
        ports: [],
        services: [],
        reports: [],
        split: ['./packages/**/*.js'],
        workdir: 'packages/api',
      },
    },
    image: {
      base: `registry.example.com/base/debian@sha256:${'0123456789abcdef'.repeat(4)}`,
      layers: [
        { name: 'dependencies', from: ['node_modules'], include: [], exclude: ['**/*.md'], to: '/app' },
        {
          name: 'application',
          from: ['dist', 'package.json'],
          include: ['**/*.js', 'package.json'],
          exclude: [],
          to: '/srv/app',
        },
      ],
      build: 'lint:js',
      cmd: ['server.js'],
      expose: ['53/udp', '443/tcp', '8080/tcp'],
      env: { PORT: '8080' },
      user: '1000',
      workdir: '/srv/app',
      labels: { 'com.example.team': 'shop' },
      health: { cmd: ['wget', '-qO-', 'http://localhost:8080/'], timeout: 2, startPeriod: 60 },
    },
    deliver: { service: { env: {}, volumes: [] }, channels: {}, targets: {} },
  });
});

describe('a toolchain', () => {
  test.each([
    ['node', { kind: 'catalog', request: 'node', name: 'node', range: '*', options: {} }],
    ['node@22', { kind: 'catalog', request: 'node@22', name: 'node', range: '22', options: {} }],
    ['node@>=22 <25', { kind: 'catalog', request: 'node@>=22 <25', name: 'node', range: '>=22 <25', options: {} }],
    ['{name: node, version: 22}', { kind: 'catalog', request: 'node@22', name: 'node', range: '22', options: {} }],
    [
      '{name: jruby, version: 9.4.15.0}',
      { kind: 'catalog', request: 'jruby@9.4.15.0', name: 'jruby', range: '9.4.15.0', options: {} },
    ],
    ['{name: node}', { kind: 'catalog', request: 'node', name: 'node', range: '*', options: {} }],
    ['node:22', { kind: 'image', request: 'node:22', reference: 'node:22' }],
    ['acme/builder', { kind: 'image', request: 'acme/builder', reference: 'acme/builder' }],
    ['{image: debian}', { kind: 'image', request: 'debian', reference: 'debian' }],
    ['./ci/image/', { kind: 'folder', request: './ci/image', path: 'ci/image' }],
    ['.ci/image', { kind: 'folder', request: './.ci/image', path: '.ci/image' }],
    ['./', { kind: 'folder', request: './', path: '.' }],
    ['.', { kind: 'folder', request: './', path: '.' }],
    ['{folder: ci}', { kind: 'folder', request: './ci', path: 'ci' }],
  ])('%s is understood', (yaml, expected) => {
    expect(toolchainOf(yaml)).toEqual(expected);
  });
});

test('a command is a text for a shell or a list of words', () => {
  expect(taskOf('npm test')?.run).toBe('npm test');
  expect(taskOf('{run: [npm, test]}')?.run).toEqual(['npm', 'test']);
});

test('the task that runs before packing is the one the file says, none, or left to be chosen', () => {
  expect(imageOf('{}').build).toBeUndefined();
  expect(imageOf('{build: build}').build).toBe('build');
  expect(imageOf('{build: false}').build).toBe(false);
});

test('a task may need one that the toolchain brings, and only if it does', () => {
  const text = specWith('tasks: {test: {run: npm test, needs: [install]}}\n');
  expect(parseSpec(text, undefined, undefined, ['install']).spec.tasks.test?.needs).toEqual(['install']);
  expect(() => parseSpec(text)).toThrow('expected the name of a task, found "install"');
});

test('records hold what the file says and nothing of Object', () => {
  const { spec } = parseSpec(specWith('tasks: {constructor: make, toString: {run: make}}\nenv: {valueOf: x}\n'));
  expect(Object.keys(spec.tasks)).toEqual(['constructor', 'toString']);
  expect(spec.tasks.hasOwnProperty).toBeUndefined();
  expect(spec.env.constructor).toBeUndefined();
  expect(spec.image.labels.toString).toBeUndefined();
});

test('what an alias stands for is read where it is used', () => {
  const { tasks } = parseSpec(corpus.anchors!).spec;
  expect(tasks.web).toEqual(tasks.api);
  expect(tasks.docs?.env).toEqual({ LEVEL: 'info' });
});

test('a byte order mark and CRLF change nothing', () => {
  const unix = corpus.node!;
  const windows = `\ufeff${unix.replaceAll('\n', '\r\n')}`;
  expect(parseSpec(windows).spec).toEqual(parseSpec(unix).spec);
  expect(parseSpec(Buffer.from(windows)).spec).toEqual(parseSpec(unix).spec);
});

test('a value can be asked where it stands, one that was filled in stands nowhere', () => {
  const { locate } = parseSpec(corpus.node!);
  expect(locate(['tasks', 'test', 'needs', 1])).toEqual({ line: 17, column: 20 });
  expect(locate(['name'])).toEqual({ line: 3, column: 7 });
  expect(locate(['network'])).toBeUndefined();
});

test('places in a file with CRLF and byte order mark are those an editor shows', () => {
  const { locate } = parseSpec(corpus.windows!);
  expect(locate(['gbuild'])).toEqual({ line: 1, column: 9 });
  expect(locate(['tasks', 'test'])).toEqual({ line: 5, column: 9 });
});
