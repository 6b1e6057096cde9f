import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { connectEngine } from '../../src/engine/engine.ts';
import { readOwner } from '../../src/engine/owner.ts';
import { readArchive } from '../../src/oci/read-archive.ts';
import { copyOf, openCli } from '../support/cli.ts';
import { endpointOf } from '../support/endpoint-of.ts';
import { listTags, removeTag } from '../support/engine-images.ts';
import { removeVolume } from '../support/engine-left.ts';
import { type InterceptingProxy, startInterceptingProxy } from '../support/intercepting-proxy.ts';

const engine = inject('engineHost');
const cli = openCli({ engine });
const secret = 'pw:9f3c@Z7-secret';
const nonce = `${process.pid}`;
let proxy: InterceptingProxy;
let env: Record<string, string>;

beforeAll(async () => {
  proxy = await startInterceptingProxy(join(cli.dir, 'proxy'), 'ada', secret);
  const trusted = process.env.NODE_EXTRA_CA_CERTS;
  const roots = join(cli.dir, 'roots.pem');
  writeFileSync(
    roots,
    `${trusted === undefined ? '' : readFileSync(trusted, 'utf8')}\n${readFileSync(proxy.rootFile, 'utf8')}`,
  );
  env = { HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url, NO_PROXY: 'localhost,127.0.0.1', NODE_EXTRA_CA_CERTS: roots };
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

/** A copy of gbuild's catalog of which every step is done anew, in a repository of its own. */
function writeCatalog(rootDir: string): void {
  const images = fileURLToPath(new URL('../../images', import.meta.url));
  cpSync(images, join(rootDir, 'toolchains'), { recursive: true });
  const file = join(rootDir, 'toolchains/base/base.yml');
  const anew = `volatile:\n  - company-${nonce}`;
  writeFileSync(
    file,
    readFileSync(file, 'utf8')
      .replace('volatile:', anew)
      .replaceAll(/debian:\w+-slim/g, '127.0.0.1:1/nobody:1'),
  );
  const helper = join(rootDir, 'toolchains/base/helpers/install-packages');
  writeFileSync(helper, `${readFileSync(helper, 'utf8')}# ${nonce}\n`);
}

interface Case {
  path: string;
  passes: string;
  /** Caches of the test's own, in the place of those that the caller's runs share. */
  caches: { path: string; env?: Record<string, string> }[];
}

const cases: Case[] = [
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

// The toolchain is made, and the example tested, with nothing of it there: everything comes through the proxy.
describe.each(cases)('behind a proxy that wants a password and opens TLS, $path', { timeout: 900_000 }, (example) => {
  const name = `company-${example.path.replace('examples/', '')}-${nonce}`;
  const rootDir = join(cli.dir, name);
  const toolchain = example.path.replace(/examples\/(\w+)-.*/, '$1');
  const caches = example.caches.map((cache, index) => ({ name: `${name}-${index}`, ...cache }));
  const before = new Set<string>();

  beforeAll(async () => {
    copyOf(example.path, rootDir, name);
    writeCatalog(rootDir);
    const spec = join(rootDir, 'gbuild.yml');
    // The proxy is at the machine's loopback address.
    const own = `network: host\ncatalogs: [./toolchains]\ncaches: ${JSON.stringify(caches)}\n`;
    writeFileSync(spec, `${readFileSync(spec, 'utf8')}${own}`);
    for (const tag of [...(await listTags(engine, `gbuild/${toolchain}`)), ...(await listTags(engine, 'gbuild/base'))])
      before.add(tag);
  });
  afterAll(async () => {
    const made = [...(await listTags(engine, `gbuild/${toolchain}`)), ...(await listTags(engine, 'gbuild/base'))];
    for (const tag of made.filter((each) => !before.has(each))) await removeTag(engine, tag);
    for (const cache of caches) await removeVolume(engine, `gbuild-cache-${cache.name}-${process.getuid?.() ?? 0}`);
  });

  test('gets its toolchain and its dependencies, and keeps nothing of the proxy', async () => {
    const { exitCode, stdout, stderr } = await cli.run(['test'], { cwd: rootDir, env });
    expect([exitCode, stdout], stderr).toEqual([0, expect.stringContaining(example.passes)]);
    expect(proxy.hosts.size).toBeGreaterThan(0);
    const client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `company-${nonce}` });
    const made = (await listTags(engine, `gbuild/${toolchain}`)).filter((tag) => !before.has(tag));
    expect(made).toHaveLength(2);
    const marks = ['Z7-secret', `127.0.0.1:${proxy.port}`, rootLine(proxy.rootFile)];
    for (const reference of made) {
      const hostDir = mkdtempSync(join(cli.dir, 'saved-'));
      const { layerFiles, configBytes } = await readArchive(await client.saveImage(reference), hostDir);
      const holders = marks.flatMap((mark) => [
        ...layerFiles.filter((file) => readFileSync(file).includes(mark)).map(() => mark),
        ...(configBytes.includes(mark) ? [`config: ${mark}`] : []),
      ]);
      expect([reference, holders]).toEqual([reference, []]);
    }
    client.close();
    expect(`${stdout}${stderr}`).not.toContain('Z7-secret');
  });
});

function rootLine(file: string): string {
  return readFileSync(file, 'utf8').split('\n')[3] ?? '';
}
