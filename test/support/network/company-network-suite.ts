import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { readArchive } from '../../../src/oci/image/read-archive.ts';
import { parseLock } from '../../../src/spec/lock/lock.ts';
import type { Lock } from '../../../src/spec/lock/lock-types.ts';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { resolveToolchain } from '../../../src/toolchain/resolve/resolve.ts';
import { copyOf, openCli } from '../cli/cli.ts';
import { endpointOf } from '../engines/endpoint-of.ts';
import { removeTag } from '../engines/engine-images.ts';
import { removeVolume } from '../engines/engine-left.ts';
import { images, referencesOf } from '../toolchains/toolchain-catalog.ts';
import { type InterceptingProxy, startInterceptingProxy } from './intercepting-proxy.ts';

interface Case {
  /** Folder of the example. */
  path: string;
  passes: string;
  /** Caches of the test, instead of those that the caller's runs share. */
  caches: { path: string; env?: Record<string, string> }[];
}

const examples: Case[] = [
  {
    path: 'examples/node-pnpm',
    passes: 'pass 1',
    caches: [{ path: '/cache/pnpm', env: { npm_config_store_dir: '/cache/pnpm/store' } }],
  },
  {
    path: 'examples/jvm-maven',
    passes: 'Tests run: 2, Failures: 0',
    caches: [{ path: '/home/gbuild/.m2/repository' }],
  },
  {
    path: 'examples/sbt-hello',
    passes: 'Passed: Total 2',
    caches: [
      { path: '/cache/coursier', env: { COURSIER_CACHE: '/cache/coursier' } },
      { path: '/cache/ivy' },
      { path: '/cache/sbt' },
    ],
  },
  { path: 'examples/ruby-rack', passes: '2 examples, 0 failures', caches: [{ path: '/cache/bundle' }] },
];

interface Behind {
  /** Examples, by folder, whose toolchain is made behind the proxy, too. */
  made: string[];
  /** Examples that are tested in the engine's existing toolchain. */
  kept: string[];
}

/**
 * Tests gbuild behind a proxy that requires a password and intercepts TLS: its containers can reach registries only
 * through the proxy.
 */
export function describeCompanyNetwork({ made, kept }: Behind): void {
  const engine = inject('engineHost');
  const cli = openCli({ engine });
  const secret = 'pw:9f3c@Z7-secret';
  const nonce = `${process.pid}`;
  const catalogDir = join(cli.dir, 'catalog');
  const configDir = join(cli.dir, 'config');
  /** Names of images to remove at the end. */
  const references = new Set<string>();
  let client: Engine;
  let proxy: InterceptingProxy;
  let env: Record<string, string>;

  beforeAll(async () => {
    writeCatalog(catalogDir, nonce);
    mkdirSync(join(configDir, 'gbuild'), { recursive: true });
    writeFileSync(join(configDir, 'gbuild/config.yml'), `config: 1\ncatalogs: [${catalogDir}]\n`);
    client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `company-${nonce}` });
    proxy = await startInterceptingProxy(join(cli.dir, 'proxy'), 'ada', secret);
    const trusted = process.env.NODE_EXTRA_CA_CERTS;
    const roots = join(cli.dir, 'roots.pem');
    writeFileSync(
      roots,
      `${trusted === undefined ? '' : readFileSync(trusted, 'utf8')}\n${readFileSync(proxy.rootFile, 'utf8')}`,
    );
    env = {
      HTTPS_PROXY: proxy.url,
      HTTP_PROXY: proxy.url,
      NO_PROXY: 'localhost,127.0.0.1',
      NODE_EXTRA_CA_CERTS: roots,
    };
  });
  afterAll(async () => {
    for (const reference of references) await removeTag(engine, reference);
    client.close();
    await proxy[Symbol.asyncDispose]();
    cli[Symbol.dispose]();
  });

  // The toolchain is made and the example tested without any cached part: everything comes through the proxy.
  describe.each(examples.filter(({ path }) => [...made, ...kept].includes(path)))(
    'behind a proxy that wants a password and opens TLS, $path',
    { timeout: 900_000 },
    (example) => {
      const name = `company-${example.path.replace('examples/', '')}-${nonce}`;
      const rootDir = join(cli.dir, name);
      beforeEach(() => proxy.hosts.clear());
      const caches = example.caches.map((cache, index) => ({ name: `${name}-${index}`, ...cache }));

      beforeAll(() => {
        copyOf(example.path, rootDir, name);
        const spec = join(rootDir, 'gbuild.yml');
        // The proxy is at the machine's loopback address.
        const own = `network: host\ncaches: ${JSON.stringify(caches)}\n`;
        writeFileSync(spec, `${readFileSync(spec, 'utf8')}${own}`);
      });
      afterAll(async () => {
        for (const cache of caches) await removeVolume(engine, `gbuild-cache-${cache.name}-${process.getuid?.() ?? 0}`);
      });

      if (kept.includes(example.path))
        test('gets its dependencies in a toolchain that is there', async () => {
          const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd: rootDir, env });
          expect([exitCode, stdout], stderr).toEqual([0, expect.stringContaining(example.passes)]);
          expect(proxy.hosts.size).toBeGreaterThan(0);
          expect(`${stdout}${stderr}`).not.toContain('Z7-secret');
        });

      if (made.includes(example.path))
        test('gets its toolchain and its dependencies, and keeps nothing of the proxy', async () => {
          const { exitCode, stdout, stderr } = await cli.run(['test'], {
            cwd: rootDir,
            env: { ...env, XDG_CONFIG_HOME: configDir },
          });
          const lock = readLock(rootDir);
          const resolved = await resolveLocked(catalogDir, lock);
          for (const reference of referencesOf(resolved)) references.add(reference);
          expect([exitCode, stdout], stderr).toEqual([0, expect.stringContaining(example.passes)]);
          expect(proxy.hosts.size).toBeGreaterThan(0);
          const marks = ['Z7-secret', `127.0.0.1:${proxy.port}`, rootLine(proxy.rootFile), 'run/gbuild/trust.pem\0'];
          for (const reference of [resolved.build, resolved.runtime!]) {
            const hostDir = mkdtempSync(join(cli.dir, 'saved-'));
            const { layerFiles, configBytes } = await readArchive(await client.saveImage(reference), hostDir);
            const holders = marks.flatMap((mark) => [
              ...layerFiles.filter((file) => readFileSync(file).includes(mark)).map(() => mark),
              ...(configBytes.includes(mark) ? [`config: ${mark}`] : []),
            ]);
            expect([reference, holders]).toEqual([reference, []]);
            rmSync(hostDir, { recursive: true });
          }
          expect(`${stdout}${stderr}`).not.toContain('Z7-secret');
        });

      if (made.includes(example.path))
        test('gets the images that are made without a proxy, and from other words of the same recipe', async () => {
          const plainDir = copyOf(example.path, join(cli.dir, `${name}-plain`), `${name}-plain`);
          const locked = readLock(rootDir).platforms;
          const lockPlain = async (...flags: string[]) => {
            const { exitCode, stdout, stderr } = await cli.run(['lock', ...flags], { cwd: plainDir });
            expect(exitCode, `${stdout}${stderr}`).toBe(0);
            return readLock(plainDir).platforms;
          };
          let plain = await lockPlain();
          const packagesOf = (platforms: Lock['toolchain']['platforms']) =>
            Object.values(platforms).map(({ packages, runtimePackages }) => [packages, runtimePackages]);
          // This engine may have images of an earlier day, and packages have changed since.
          if (!isDeepStrictEqual(packagesOf(plain), packagesOf(locked)))
            plain = await lockPlain('--update', '--no-try');
          expect(plain).toEqual(locked);
        });
    },
  );
}

/** Copies gbuild's catalog with a changed text: every step runs again, once for all images of the copy. */
function writeCatalog(catalogDir: string, nonce: string): void {
  cpSync(images, catalogDir, { recursive: true });
  const edit = (file: string, change: (text: string) => string) => {
    const hostFile = join(catalogDir, file);
    writeFileSync(hostFile, change(readFileSync(hostFile, 'utf8')));
  };
  edit('base/base.yml', (text) =>
    text.replace('volatile:', `volatile:\n  - company-${nonce}`).replaceAll(/debian:\w+-slim/g, '127.0.0.1:1/nobody:1'),
  );
  for (const file of ['base/trim', 'base/helpers/install-packages']) edit(file, (text) => `${text}# ${nonce}\n`);
  edit('sbt/warm/build.sbt', (text) => `${text}// ${nonce}\n`);
}

function readLock(rootDir: string): Lock['toolchain'] {
  return parseLock(readFileSync(join(rootDir, 'gbuild.lock'))).toolchain;
}

async function resolveLocked(hostDir: string, { name, version, options = {} }: Lock['toolchain']) {
  const request = { kind: 'catalog', request: name, name, range: version, options } as const;
  return resolveToolchain(request, await readCatalog([hostDir]));
}

function rootLine(file: string): string {
  return readFileSync(file, 'utf8').split('\n')[3] ?? '';
}
