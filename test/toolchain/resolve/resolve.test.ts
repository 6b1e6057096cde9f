import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import type { ToolchainRequest } from '../../../src/spec/types.ts';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { readToolchainFolder } from '../../../src/toolchain/catalog/folder.ts';
import { resolveToolchain } from '../../../src/toolchain/resolve/resolve.ts';
import { chooseVersion } from '../../../src/toolchain/resolve/versions.ts';
import { errorOf } from '../../support/assert/error-of.ts';

const images = join(import.meta.dirname, '../../../images');
const catalog = await readCatalog([images]);

const node = (range: string, options = {}): ToolchainRequest => ({
  kind: 'catalog',
  request: `node@${range}`,
  name: 'node',
  range,
  options,
});
const image = (reference: string): ToolchainRequest => ({ kind: 'image', request: reference, reference });

test('a range is the highest known version that both platforms have', () => {
  const versions = ['^18', '20', '^22', '24.x', '>=22 <23', '*'].map((range) => [
    range,
    resolveToolchain(node(range), catalog).version,
  ]);
  expect(versions).toEqual([
    ['^18', '18.20.8'],
    ['20', '20.20.2'],
    ['^22', '22.23.3'],
    ['24.x', '24.21.0'],
    ['>=22 <23', '22.23.3'],
    ['*', '24.21.0'],
  ]);
});

test('a range that only one platform serves is served by that one', () => {
  expect(resolveToolchain(node('~22.17'), catalog).version).toBe('22.17.1');
});

test('an open range is the newest long-term line, and another line only where no long-term one fits', () => {
  const ranges = ['>=18', '>=20', '18 || 20 || 22 || 24 || 26', '>=22 <25', '>=25', '^25', '23.x', '>=24.22'];
  expect(ranges.map((range) => [range, resolveToolchain(node(range), catalog).version])).toEqual([
    ['>=18', '24.21.0'],
    ['>=20', '24.21.0'],
    ['18 || 20 || 22 || 24 || 26', '24.21.0'],
    ['>=22 <25', '24.21.0'],
    ['>=25', '26.10.0'],
    ['^25', '25.9.0'],
    ['23.x', '23.6.0'],
    ['>=24.22', '24.22.0'],
  ]);
});

test('an exact version need not be in the list, but is of a line that the catalog promises', async () => {
  expect(resolveToolchain(node('26.99.7'), catalog).version).toBe('26.99.7');
  expect((await errorOf(() => resolveToolchain(node('16.20.2'), catalog))).message).toBe(
    'toolchain: no known version of node fits 16.20.2; the nearest are 18.0.0',
  );
});

test('the image to ship on has the libraries that the Node of its line is linked to', () => {
  const packagesOf = (range: string) => {
    const { source } = resolveToolchain(node(range), catalog);
    return source.kind === 'catalog' ? source.runtimePackages : undefined;
  };
  expect(['^18', '^24', '25.0.0', '^26'].map(packagesOf)).toEqual([[], [], ['libatomic1'], ['libatomic1']]);
});

test('versions of four numbers are told apart by the fourth', () => {
  const data = catalog.find('jruby')!.data;
  const turned = { 'linux/amd64': [...data.versions['linux/amd64']!].reverse() };
  const ranges = ['9.4', '9.4.12', '9.4.12.0', '9.4.12.1', '9.4.99.7', '~10.0.0', '>=9.4 <10'];
  for (const versions of [data.versions, turned])
    expect(ranges.map((range) => [range, chooseVersion({ ...data, versions }, range)])).toEqual([
      ['9.4', '9.4.15.0'],
      ['9.4.12', '9.4.12.1'],
      ['9.4.12.0', '9.4.12.0'],
      ['9.4.12.1', '9.4.12.1'],
      ['9.4.99.7', '9.4.99.7'],
      ['~10.0.0', '10.0.6.0'],
      ['>=9.4 <10', '9.4.15.0'],
    ]);
});

test('references are content-addressed and name the version', () => {
  const { build, runtime, recipe } = resolveToolchain(node('22.21.1'), catalog);
  expect(build).toBe(`gbuild/node:22.21.1-${recipe.slice(7, 19)}`);
  expect(runtime).toBe(`${build}-runtime`);
});

test('npm is the one that belongs to the Node, or the one asked for', () => {
  const npmOf = (range: string, options = {}) => {
    const { source } = resolveToolchain(node(range, options), catalog);
    return source.kind === 'catalog' ? source.parts.find(({ name }) => name === 'npm')?.version : undefined;
  };
  expect([npmOf('18.0.0'), npmOf('18.20.8'), npmOf('^22'), npmOf('24'), npmOf('26')]).toEqual([
    '9.9.4',
    '10.9.9',
    '10.9.9',
    '11.21.2',
    '11.21.2',
  ]);
  expect(npmOf('^22', { npm: '10.8.0' })).toBe('10.8.0');
});

test('each thing that decides what is inside makes another recipe', () => {
  const recipes = [
    node('22.21.1'),
    node('22.21.0'),
    node('22.21.1', { npm: '10.8.0' }),
    node('22.21.1', { packages: ['libvips'] }),
  ].map((request) => resolveToolchain(request, catalog).recipe);
  expect(new Set(recipes).size).toBe(4);
});

test('another spelling of the request or another order of packages is the same recipe', () => {
  const recipe = (range: string, packages: string[]) => resolveToolchain(node(range, { packages }), catalog).recipe;
  expect(recipe('22.23.3', ['libvips', 'zip'])).toBe(recipe('^22', ['zip', 'libvips']));
});

test('a changed file of the folder or of the base makes another recipe, a new version in the list does not', async () => {
  await using copy = await createFixture();
  cpSync(images, copy.path, { recursive: true });
  const recipe = async () => resolveToolchain(node('22.21.1'), await readCatalog([copy.path])).recipe;
  const first = await recipe();
  const data = await copy.readFile('node/toolchain.yml', 'utf8');
  await copy.writeFile('node/toolchain.yml', data.replace('26.10.0', '26.10.0 26.99.0'));
  await copy.writeFile('node/README.md', 'words');
  expect(await recipe()).toBe(first);
  await copy.writeFile('node/Dockerfile', `${await copy.readFile('node/Dockerfile', 'utf8')}# changed\n`);
  const second = await recipe();
  await copy.writeFile('base/trim', `${await copy.readFile('base/trim', 'utf8')}# changed\n`);
  expect(new Set([first, second, await recipe()]).size).toBe(3);
});

test('a lock of the same request decides the version', () => {
  const locked = resolveToolchain(node('22.20.0'), catalog);
  const lock = { request: 'node@^22', name: 'node', version: '22.20.0', recipe: locked.recipe };
  const { version, recipe, lockState } = resolveToolchain(node('^22'), catalog, { lock });
  expect({ version, recipe, lockState }).toEqual({ version: '22.20.0', recipe: locked.recipe, lockState: 'fits' });
});

test('a lock of another request or of other options is not obeyed, and a changed recipe is told', () => {
  const lock = { request: 'node@^22', name: 'node', version: '22.20.0', recipe: 'sha256:other' };
  const states = [node('^24'), node('^22', { npm: '10.8.0' }), node('^22')].map((request) => {
    const { version, lockState } = resolveToolchain(request, catalog, { lock });
    return [version, lockState];
  });
  expect(states).toEqual([
    ['24.21.0', 'request-changed'],
    ['22.23.3', 'request-changed'],
    ['22.20.0', 'recipe-changed'],
  ]);
  expect(resolveToolchain(node('^22'), catalog).lockState).toBe('none');
});

test('an image is taken by its reference, its version being tag or digest', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const versions = ['localhost:5000/tools/jdk:21', 'localhost:5000/jdk', `acme/jdk@${digest}`].map((reference) => {
    const { build, runtime, name, version } = resolveToolchain(image(reference), catalog);
    return { build, runtime, name, version };
  });
  expect(versions).toEqual([
    { build: 'localhost:5000/tools/jdk:21', name: 'localhost:5000/tools/jdk', version: '21' },
    { build: 'localhost:5000/jdk', name: 'localhost:5000/jdk', version: 'latest' },
    { build: `acme/jdk@${digest}`, name: 'acme/jdk', version: digest },
  ]);
});

test('a folder is addressed by its content and has a runtime where its Dockerfile names one', async () => {
  await using repository = await createFixture({
    'one/Dockerfile': 'FROM debian\n',
    'two/Dockerfile': 'FROM debian AS build\nFROM --platform=$X debian as Runtime\n',
  });
  const resolve = (path: string) =>
    resolveToolchain({ kind: 'folder', request: path, path }, catalog, {
      folder: readToolchainFolder(repository.path, path),
    });
  const one = resolve('./one');
  const two = resolve('./two');
  expect(one.build).toMatch(/^gbuild\/folder-one:[0-9a-f]{12}$/);
  expect([one.runtime, two.runtime]).toEqual([undefined, `${two.build}-runtime`]);
  await repository.writeFile('one/script', 'x');
  expect(resolve('./one').build).not.toBe(one.build);
});

test('what nothing fits says what is nearest', async () => {
  expect(await errorOf(() => resolveToolchain(node('^99'), catalog))).toMatchInlineSnapshot(`
    {
      "code": "toolchain-unknown",
      "message": "toolchain: no known version of node fits ^99; the nearest are 26.11.1 and 26.12.0",
      "suggestions": [
        "toolchain: node@26.11.1",
        "toolchain: node@26.12.0",
      ],
    }
  `);
  expect(await errorOf(() => resolveToolchain(node('~22.24'), catalog))).toMatchInlineSnapshot(`
    {
      "code": "toolchain-unknown",
      "message": "toolchain: no known version of node fits ~22.24; the nearest are 22.23.3 and 23.0.0",
      "suggestions": [
        "toolchain: node@22.23.3",
        "toolchain: node@23.0.0",
      ],
    }
  `);
  expect(await errorOf(() => resolveToolchain(node('22.1.0.4'), catalog))).toMatchInlineSnapshot(`
    {
      "code": "toolchain-unknown",
      "message": "toolchain: no known version of node fits 22.1.0.4; the nearest are 22.1.0 and 22.2.0",
      "suggestions": [
        "toolchain: node@22.1.0",
        "toolchain: node@22.2.0",
      ],
    }
  `);
  expect(await errorOf(() => resolveToolchain(node('newest'), catalog))).toMatchInlineSnapshot(`
    {
      "code": "toolchain-unknown",
      "message": "toolchain: "newest" is not a version or range of node",
      "suggestions": [
        "toolchain: node@^24",
      ],
    }
  `);
  const unknown: ToolchainRequest = { kind: 'catalog', request: 'deno', name: 'deno', range: '*', options: {} };
  expect(await errorOf(() => resolveToolchain(unknown, catalog))).toMatchInlineSnapshot(`
    {
      "code": "toolchain-unknown",
      "message": "toolchain: the catalog has no "deno"; it has jruby, jvm, node, ruby, sbt",
      "suggestions": [
        "toolchain: jruby",
        "toolchain: REGISTRY/NAME:TAG takes an image as it is",
        "toolchain: ./FOLDER takes a folder with a Dockerfile",
      ],
    }
  `);
  const suggested = async (name: string, version = '') =>
    (await errorOf(() => resolveToolchain({ ...unknown, name, request: name + version }, catalog))).suggestions[0];
  expect(await suggested('nodejs', '@^22')).toBe('toolchain: node@^22');
  expect(await suggested('rubi')).toBe('toolchain: ruby');
  expect(await suggested('jrubyy')).toBe('toolchain: jruby');
});

test('all mistakes in options are told at once', async () => {
  const options = { npm: '10', packages: ['ok', '-o; rm'], colour: true };
  expect(await errorOf(() => resolveToolchain(node('22', options), catalog))).toMatchInlineSnapshot(`
    {
      "code": "spec-invalid",
      "message": "toolchain.npm: expected an exact version such as "10.9.9", found "10"
    toolchain.packages: expected a list of names of Debian packages, found ["ok","-o; rm"]
    toolchain.colour: node has no such option (it has: npm, manager, pnpm, yarn, packages, buildPackages)",
      "suggestions": [],
    }
  `);
});

test('a folder that is missing or has no Dockerfile is told', async () => {
  await using repository = await createFixture({ 'tools/README.md': '' });
  const message = async (path: string) => {
    const error = await errorOf(() => readToolchainFolder(repository.path, path));
    return { ...error, message: error.message.replace(repository.path, 'ROOT/') };
  };
  expect(await message('./nowhere')).toMatchInlineSnapshot(`
    {
      "code": "toolchain-unknown",
      "message": "toolchain: there is no folder ./nowhere in ROOT/",
      "suggestions": [
        "mkdir -p ./nowhere and write ./nowhere/Dockerfile",
        "toolchain: node@^24 takes one of the catalog",
      ],
    }
  `);
  expect(await message('tools')).toMatchInlineSnapshot(`
    {
      "code": "toolchain-unknown",
      "message": "toolchain: the folder tools has no Dockerfile",
      "suggestions": [
        "write tools/Dockerfile, with a stage "build" and, to ship on, a stage "runtime"",
      ],
    }
  `);
});
