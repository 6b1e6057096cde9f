import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { collectPackages } from '../../src/attest/packages/collect-packages.ts';
import { describeArtifact, summarizeProvenance } from '../../src/inspect/attached.ts';
import { formatFiles, formatMode } from '../../src/inspect/format-files.ts';
import { formatPackages } from '../../src/inspect/format-packages.ts';
import { formatReport } from '../../src/inspect/format-report.ts';
import { formatPage, pageStart } from '../../src/inspect/page.ts';
import { reportImage, withoutFiles } from '../../src/inspect/report.ts';
import { shorten } from '../../src/inspect/shorten.ts';
import type { Image } from '../../src/oci/image/image.ts';
import { hugeLayer, imageOf, layerOf, layerOfHeaders } from '../support/images/made-image.ts';

const packages = [
  {
    type: 'npm' as const,
    name: 'pad',
    version: '1.0.0',
    licence: 'MIT OR (MIT AND GPL-2.0-only WITH Classpath-exception-2.0)',
    purl: 'pkg:npm/pad@1.0.0',
    paths: [],
    layer: 'sha256:0' as const,
  },
  {
    type: 'npm' as const,
    name: 'old',
    version: '2.0.0',
    purl: 'pkg:npm/old@2.0.0',
    paths: [],
    layer: 'sha256:0' as const,
  },
];

const report = (image: Image, more: object = {}) =>
  reportImage({ reference: 'hello:1.0.1', origin: { kind: 'store', place: '/store' }, image, packages, ...more });

const plain = (text: string) => text.replaceAll(/\b[0-9a-f]{64}\b/g, 'HEX').replaceAll(/\b[0-9a-f]{12}\b/g, 'ID');

const hello = imageOf([layerOf('app', { 'app/large': 'x'.repeat(2000), 'app/small': '1' })], {
  config: {
    Entrypoint: ['/bin/sh', '-c', 'echo hello'],
    User: '1',
    ExposedPorts: { '80/tcp': {} },
    Env: ['A=1', 'B=x=y'],
  },
  labels: { 'org.opencontainers.image.version': '1.0.1', 'io.gbuild.toolchain': 'node@22.1.0', team: 'web' },
});

const script = '<script>alert(1)</script>';
const hostile = imageOf(
  [layerOf(`"${script}`, { [`app/${script}`]: '1', 'app/\x1b[31mred\n\u202etxt': '1', "app/'&amp;": '1' })],
  { config: { Env: [`X=${script}`], Entrypoint: [script, '\x07'] }, labels: { [script]: `</code>${script}` } },
);

describe('a report for a terminal', () => {
  it('says what the image is, how it runs, its layers, largest files and packages', async () => {
    const text = formatReport(await report(hello));
    expect(plain(text)).toMatchInlineSnapshot(`
      "name     hello:1.0.1
      from     the release store /store
      id       sha256:HEX
      manifest sha256:HEX
      platform linux/amd64
      created  2024-05-06T07:08:09Z
      version  1.0.1
      built in node@22.1.0
      starts   /bin/sh -c "echo hello"
      user     1
      ports    80/tcp
      env      A=1
               B=x=y
      label    team=web

      layer    size  files  name
      1      2.0 kB      1  base: the base
      2      5.1 kB      2  app
             7.2 kB      3  together

      largest files
        size  layer  path
      2.0 kB  2      app/large
         3 B  1      base
         1 B  2      app/small

      packages 2
      npm 2: GPL-2.0-only WITH Classpath-exception... 1, MIT 1, unknown 1"
    `);
    const lines = text.split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.filter((line) => /\s$/.test(line))).toEqual([]);
  });

  it('lists every path of every layer, and every package', async () => {
    const layer = layerOfHeaders(
      { path: 'app/link', type: 'symlink', linkTarget: 'small', mode: 0o777 },
      { path: 'app/same', type: 'hardlink', linkTarget: 'app/small' },
      { path: 'tmp', type: 'directory', mode: 0o1777, uid: 65532, gid: 5 },
      { path: 'app/.wh.gone' },
      { path: 'opt/.wh..wh..opq' },
      { path: 'pipe', type: 'fifo' },
    );
    const found = await report(imageOf([layer]));
    expect(plain(formatFiles(found))).toMatchInlineSnapshot(`
      "layer 1: the base
      -rw-r--r--  0:0  3  base

      layer 2: by hand
      lrwxrwxrwx  0:0      0  app/link -> small
      hrw-r--r--  0:0      0  app/same -> app/small
      drwxrwxrwt  65532:5  0  tmp
      xrw-r--r--  0:0      0  app/gone (taken away)
      xrw-r--r--  0:0      0  opt/* (taken away)
      prw-r--r--  0:0      0  pipe"
    `);
    expect(formatPackages(found.packages)).toMatchInlineSnapshot(`
      "type  package  version  licence
      npm   pad      1.0.0    MIT OR (MIT AND GPL-2.0-only WITH Classpath-exception-2.0)
      npm   old      2.0.0    unknown"
    `);
    expect(withoutFiles(found).layers.map((each) => Object.keys(each).includes('files'))).toEqual([false, false]);
  });

  it('shows what stands beside it, and how large it is where it is compressed', async () => {
    const descriptor = { mediaType: 'm', digest: `sha256:${'a'.repeat(64)}` as const, size: 1 };
    const manifest = { ...hello.manifest, layers: hello.manifest.layers.map((layer) => ({ ...layer, size: 300 })) };
    const attached = [
      { what: 'provenance', artifactType: 'x', digest: descriptor.digest, facts: { builder: 'them\x1b[0m' } },
      { what: 'artifact', artifactType: 'application/other', digest: descriptor.digest },
    ];
    const text = plain(formatReport(await report(hello, { remote: { descriptor, manifest }, attached })));
    expect(text.slice(text.indexOf('layer  '), text.indexOf('largest'))).toMatchInlineSnapshot(`
      "layer    size  packed  files  name
      1      2.0 kB   300 B      1  base: the base
      2      5.1 kB   300 B      2  app
             7.2 kB   600 B      3  together

      "
    `);
    expect(text.slice(text.indexOf('attached in'))).toMatchInlineSnapshot(`
      "attached in the registry, not verified
      ID  provenance
        builder: them\\x1b[0m
      ID  artifact application/other"
    `);
  });

  it('holds no character that a terminal would obey', async () => {
    const found = await report(hostile);
    const text = `${formatReport(found)}\n${formatFiles(found)}`;
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('app/\\x1b[31mred\\n\\u202etxt');
  });
});

describe('a page', () => {
  it('shows every text of the image as text', async () => {
    const page = formatPage(await report(hostile));
    expect(page.startsWith(pageStart)).toBe(true);
    expect(page.match(/<script>/g)).toHaveLength(1);
    expect(page).toContain('app/&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).toContain('app/&#39;&amp;amp;');
    expect(page).not.toMatch(/alert\(1\)<\/script>/);
    expect(page.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('needs nothing else, and its policy allows nothing else', async () => {
    const page = formatPage(await report(hello));
    expect(page).not.toMatch(/\b(src|href|url|import|fetch)\b\s*[=(]/);
    expect(page).toContain("default-src 'none'");
    for (const kind of ['script', 'style']) {
      const [, text = ''] = new RegExp(`<${kind}>([^]*)</${kind}>`).exec(page) ?? [];
      const hash = createHash('sha256').update(text).digest('base64');
      expect(page).toContain(`${kind}-src 'sha256-${hash}'`);
    }
  });

  it('is the same bytes for the same image, wherever it lies', async () => {
    const elsewhere = { origin: { kind: 'layout', place: '/home/ada/layout' } };
    expect(formatPage(await report(hello, elsewhere))).toBe(formatPage(await report(hello)));
  });
});

it('a layer of a gigabyte is looked into without a gigabyte of memory', async () => {
  const image = imageOf([hugeLayer(1024)]);
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 20);
  const before = process.memoryUsage().rss;
  await collectPackages(image);
  const { largest } = await report(image);
  clearInterval(watch);
  expect(largest[0]).toEqual({ path: 'huge', size: 1 << 30, layer: 2 });
  expect((most - before) / 1e6).toBeLessThan(300);
});

it('a text that is too long is cut after it was spelled out', () => {
  expect(shorten('a\tb\x9b😀', 20)).toBe('a\\tb\\x9b😀');
  expect(shorten('x'.repeat(20), 10)).toBe('xxxxxxx...');
});

it('modes are written as ls writes them', () => {
  expect([0o755, 0o4755, 0o2644, 0o1777, 0o6000].map(formatMode)).toEqual([
    'rwxr-xr-x',
    'rwsr-xr-x',
    'rw-r-Sr--',
    'rwxrwxrwt',
    '--S--S---',
  ]);
});

describe('provenance', () => {
  const statement = {
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'type',
        externalParameters: { version: '1.0.1', toolchain: 'node@22' },
        resolvedDependencies: [null, { name: 'source', uri: 'git+https://r.test', digest: { gitCommit: 'abc' } }],
      },
      runDetails: { builder: { id: 'me' } },
    },
  };
  const facts = {
    builder: 'me',
    'build type': 'type',
    version: '1.0.1',
    toolchain: 'node@22',
    source: 'git+https://r.test',
    commit: 'abc',
  };
  const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value));

  it('is read plain and in an envelope', () => {
    const envelope = { payload: bytesOf(statement).toString('base64') };
    expect([summarizeProvenance(bytesOf(statement)), summarizeProvenance(bytesOf(envelope))]).toEqual([facts, facts]);
  });

  it.each(['', '[]', 'null', '{"payload":"x"}', '{"predicateType":"https://slsa.dev/provenance/v1"}'])(
    'of %j says nothing and breaks nothing',
    (text) => {
      expect(Object.keys(summarizeProvenance(Buffer.from(text)) ?? {})).toEqual([]);
    },
  );

  it('is told from other statements by its predicate', () => {
    expect([
      describeArtifact('application/vnd.in-toto+json', statement.predicateType),
      describeArtifact('application/vnd.in-toto+json', 'other'),
      describeArtifact('toString', undefined),
    ]).toEqual(['provenance', 'statement', 'artifact']);
  });
});
