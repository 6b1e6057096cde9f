import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import type { JreRequest } from '../../../src/toolchain/resolve/jre.ts';
import { type ResolvedToolchain, resolveToolchain } from '../../../src/toolchain/resolve/resolve.ts';
import { errorOf } from '../../support/assert/error-of.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../../images')]);

function resolve(name: string, range = '*', options = {}): ResolvedToolchain {
  return resolveToolchain({ kind: 'catalog', request: `${name}@${range}`, name, range, options }, catalog);
}

function resolveJre(name: string, jre: JreRequest): ResolvedToolchain {
  return resolveToolchain({ kind: 'catalog', request: name, name, range: '*', options: {} }, catalog, { jre });
}

function sourceOf(name: string, range = '*', options = {}) {
  const { source } = resolve(name, range, options);
  if (source.kind !== 'catalog') throw new Error(`${name} is not of the catalog`);
  return source;
}

test('a JDK stands on the first Debian suite that has it', () => {
  const suites = ['11', '17', '21', '25', '26'].map((version) => sourceOf('jvm', version).suite);
  expect(suites).toEqual(['bullseye', 'bookworm', 'trixie', 'trixie', 'forky']);
  expect(['*', '^17', '>=21 <26', '21'].map((range) => resolve('jvm', range).version)).toEqual([
    '21',
    '17',
    '25',
    '21',
  ]);
});

test('what is shipped on has the runtime of the same version, and the packages asked for', () => {
  expect(sourceOf('jvm', '17').runtimePackages).toEqual(['findutils', 'openjdk-17-jre-headless']);
  expect(sourceOf('sbt', '1.11.7', { jdk: 25, packages: ['zip'] }).runtimePackages).toEqual([
    'bash',
    'mawk',
    'openjdk-25-jre-headless',
    'zip',
  ]);
  expect(sourceOf('jvm', '17', { packages: ['zip'], buildPackages: ['jq'] })).toMatchObject({
    args: { JDK: '17', EXTRA_PACKAGES: 'zip jq' },
    runtimePackages: ['findutils', 'openjdk-17-jre-headless', 'zip'],
  });
});

test('an image with a Java runtime of its own stands on a root without one, and is built where others are', () => {
  const [usual, own] = [resolve('jvm', '21'), resolveJre('jvm', { kind: 'jlink', modules: ['jdk.zipfs', 'jdk.jfr'] })];
  expect(own.build).toBe(usual.build);
  expect(own.runtime).not.toBe(usual.runtime);
  expect(own.recipe).not.toBe(usual.recipe);
  expect(own.source).toMatchObject({ runtimePackages: ['findutils', 'zlib1g'], runtimeTarget: 'runtime-jlink' });
  expect(own.env).toEqual({ ...usual.env, GBUILD_JRE: 'jlink', GBUILD_JRE_MODULES: 'jdk.jfr jdk.zipfs' });
  expect([usual.jreLayers, own.jreLayers.map(({ name, to }) => [name, to])]).toEqual([
    [],
    [
      ['jre', '/opt/java'],
      ['jre', '/opt/java'],
    ],
  ]);
  expect(resolveJre('jvm', { kind: 'jlink', modules: [] }).recipe).toBe(own.recipe);
});

test('a Java runtime that a toolchain cannot choose is refused with what can be', async () => {
  const jlink = { kind: 'jlink', modules: [] };
  const image = { kind: 'image', request: 'debian:12', reference: 'debian:12' } as const;
  const errors = [
    await errorOf(() => resolveJre('node', jlink)),
    await errorOf(() => resolveJre('jvm', { kind: 'native', modules: [] })),
    await errorOf(() => resolveToolchain(image, catalog, { jre: jlink })),
  ];
  expect(errors).toMatchInlineSnapshot(`
    [
      {
        "code": "spec-invalid",
        "message": "image.jre: node cannot choose a Java runtime; jvm and sbt can",
        "suggestions": [
          "take "jre" out of "image:" in gbuild.yml",
        ],
      },
      {
        "code": "spec-invalid",
        "message": "image.jre: expected jlink, found "native"",
        "suggestions": [
          "jre: jlink",
        ],
      },
      {
        "code": "spec-invalid",
        "message": "image.jre: debian:12 cannot choose a Java runtime; jvm and sbt can",
        "suggestions": [
          "take "jre" out of "image:" in gbuild.yml",
        ],
      },
    ]
  `);
});

test('a range with an option gives one exact combination', () => {
  const combinations = [
    ['^1.10', { jdk: 17 }],
    ['^1.10', {}],
    ['1.5.x', {}],
    ['*', { jdk: 11 }],
    ['<1.11', { jdk: 21 }],
    ['1.11.7', { jdk: '25' }],
  ] as const;
  const found = combinations.map(([range, options]) => {
    const { version } = resolve('sbt', range, options);
    const { suite, args } = sourceOf('sbt', range, options);
    return `${version} on JDK ${args.JDK} (${suite})`;
  });
  expect(found).toMatchInlineSnapshot(`
    [
      "1.12.14 on JDK 17 (bookworm)",
      "1.12.14 on JDK 21 (trixie)",
      "1.5.8 on JDK 11 (bullseye)",
      "1.12.14 on JDK 11 (bullseye)",
      "1.10.11 on JDK 21 (trixie)",
      "1.11.7 on JDK 25 (trixie)",
    ]
  `);
});

test('JRuby is the newest that runs on the JDK asked for', () => {
  const found = [{}, { jdk: 11 }, { jdk: 25 }].map((options) => {
    const { suite, args } = sourceOf('jruby', '>=9', options);
    return `${args.JRUBY} on JDK ${args.JDK} (${suite})`;
  });
  expect(found).toEqual([
    '10.1.1.0 on JDK 21 (trixie)',
    '9.4.15.0 on JDK 11 (bullseye)',
    '10.1.1.0 on JDK 25 (trixie)',
  ]);
});

test('a combination that does not run is refused with the nearest ones that do', async () => {
  const refused = await Promise.all([
    errorOf(() => resolve('sbt', '~1.4', { jdk: 21 })),
    errorOf(() => resolve('sbt', '1.10.x', { jdk: 25 })),
    errorOf(() => resolve('sbt', '^1', { jdk: 8 })),
    errorOf(() => resolve('jruby', '10', { jdk: 17 })),
  ]);
  expect(refused).toMatchInlineSnapshot(`
    [
      {
        "code": "toolchain-unknown",
        "message": "toolchain: no version of sbt that fits ~1.4 goes with jdk 21; the nearest are sbt 1.4.9 with jdk 11, sbt 1.9.0 with jdk 21",
        "suggestions": [
          "toolchain: {name: sbt, version: '~1.4', jdk: 11}",
          "toolchain: {name: sbt, version: 1.9.0, jdk: 21}",
        ],
      },
      {
        "code": "toolchain-unknown",
        "message": "toolchain: no version of sbt that fits 1.10.x goes with jdk 25; the nearest are sbt 1.10.11 with jdk 11 or 17 or 21, sbt 1.11.6 with jdk 25",
        "suggestions": [
          "toolchain: {name: sbt, version: '1.10.x', jdk: 21}",
          "toolchain: {name: sbt, version: 1.11.6, jdk: 25}",
        ],
      },
      {
        "code": "spec-invalid",
        "message": "toolchain.jdk: expected one of 11, 17, 21, 25, 26, found 8",
        "suggestions": [],
      },
      {
        "code": "toolchain-unknown",
        "message": "toolchain: no version of jruby that fits 10 goes with jdk 17; the nearest are jruby 10.1.1.0 with jdk 21 or 25, jruby 9.4.14.0 with jdk 17, jruby 9.4.15.0 with jdk 17",
        "suggestions": [
          "toolchain: {name: jruby, version: '10', jdk: 25}",
          "toolchain: {name: jruby, version: 9.4.15.0, jdk: 17}",
        ],
      },
    ]
  `);
});

test('an option that is not given is no part of the lock, and what it stands for is one of the recipe', () => {
  expect(resolve('sbt', '1.11.7').options).toEqual({});
  expect(resolve('sbt', '1.11.7').recipe).toBe(resolve('sbt', '1.11.7', { jdk: 21 }).recipe);
  expect(resolve('sbt', '1.11.7').recipe).not.toBe(resolve('sbt', '1.11.7', { jdk: 17 }).recipe);
});

test('package managers are parts where they are asked for, each from the package that has that version', () => {
  const partsOf = (options = {}) =>
    sourceOf('node', '24', options).parts.map(({ name, packages, version }) => `${packages['*'] ?? name}@${version}`);
  expect(partsOf({ pnpm: '12.4.2' })).toEqual(['node@24.21.0', 'npm@11.21.2', 'pnpm@12.4.2', 'pnpm-native@12.4.2']);
  expect([partsOf({ pnpm: '10.33.0' }), partsOf({ yarn: '1.22.22' }), partsOf({ yarn: '4.9.2' })]).toEqual([
    ['node@24.21.0', 'npm@11.21.2', 'pnpm@10.33.0'],
    ['node@24.21.0', 'npm@11.21.2', 'yarn@1.22.22'],
    ['node@24.21.0', 'npm@11.21.2', '@yarnpkg/cli-dist@4.9.2'],
  ]);
});

test('a lock whose version nobody has is told', async () => {
  const lock = { request: 'node@^22', name: 'node', version: '22', recipe: `sha256:${'0'.repeat(64)}` };
  const request = { kind: 'catalog', request: 'node@^22', name: 'node', range: '^22', options: {} } as const;
  expect(await errorOf(() => resolveToolchain(request, catalog, { lock }))).toMatchInlineSnapshot(`
    {
      "code": "lock-invalid",
      "message": "gbuild.lock: toolchain.version: "22" is not an exact version of Node.js",
      "suggestions": [
        "rm gbuild.lock && gbuild lock",
      ],
    }
  `);
});
