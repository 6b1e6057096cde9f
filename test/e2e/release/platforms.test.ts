import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { ListedRelease } from '../../../src/actions/release/list/list-releases.ts';
import type { PruneReport } from '../../../src/actions/release/list/prune-releases.ts';
import type { PushRecord } from '../../../src/actions/release/push/push.ts';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { readLock, writeLock } from '../../../src/spec/lock/lock.ts';
import type { LockedToolchain } from '../../../src/spec/lock/lock-types.ts';
import { type CallOptions, type CliResult, commitAll, copyOf, git, openCli } from '../../support/cli/cli.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import {
  inspectImage,
  removeContainer,
  removeRepository,
  removeTag,
  runImage,
  startContainer,
} from '../../support/engines/engine-images.ts';
import { anyProgram } from '../../support/images/any-program.ts';
import { makeForeign, pushForeign, pushFromEngine, putIndex } from '../../support/images/base-index.ts';
import { startTools } from '../../support/images/tools.ts';
import { askUntilUp } from '../../support/network/ask-until-up.ts';
import { type FaultProxy, startFaultProxy } from '../../support/network/fault-proxy.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { ageStore, verifyStore } from '../../support/store/store-images.ts';

const engine = inject('engineHost');
const name = `e2e-platforms-${process.pid}`;
const cli = openCli({ engine, toolchain: inject('baseImage') });
const env = { COSIGN_PASSWORD: 'of the tests' };
const arm64 = { os: 'linux', architecture: 'arm64', variant: 'v8' };
let registry: TestRegistry;
let proxy: FaultProxy;
let rootDir: string;
/** Digests of what the bases are made of, as the registry has them. */
let baseLayers: (string | undefined)[];

const base = () => `${proxy.host}/${name}-base:1`;

async function readLayer(path: string, digest: string): Promise<string | undefined> {
  const accept = [...types, 'application/vnd.docker.distribution.manifest.v2+json'].join(', ');
  const answer = await fetch(`http://${registry.host}/v2/${path}/manifests/${digest}`, { headers: { accept } });
  return ((await answer.json()) as ManifestJson).layers[0]?.digest;
}

/** A program of text, as Java's and JavaScript's are: one layer of it, one of what the build makes. */
const specOf = (platforms = '[linux/arm64/v8, linux/amd64]', from = base()) => `tasks:
  build: mkdir -p out && cat src/run.sh > out/copy
image:
  base: ${from}
  platforms: ${platforms}
  entrypoint: [sh, /app/src/run.sh]
  layers: [{name: made, from: [out]}, {name: application, from: [src]}]
`;
const head = () => `gbuild: 1\nname: ${name}\ntoolchain: ${inject('baseImage')}\n`;

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startFaultProxy(registry.host);
  const path = `${name}-base`;
  const own = await pushFromEngine(engine, inject('baseImage'), { registry: registry.host, path, tag: 'amd64' });
  const foreign = await pushForeign(registry.host, path, makeForeign(arm64));
  await putIndex(registry.host, path, '1', [
    { ...own, platform: { os: 'linux', architecture: 'amd64' } },
    { ...foreign, platform: arm64 },
    { ...foreign, platform: { os: 'unknown', architecture: 'unknown' } },
  ]);
  baseLayers = await Promise.all([own, foreign].map(({ digest }) => readLayer(path, digest)));
  rootDir = cli.tasks(name, specOf(), { 'src/run.sh': 'echo first of $(uname -s)\n', '.gitignore': 'out/\n' });
  expect((await cli.run(['lock'], { cwd: rootDir })).exitCode).toBe(0);
  commitAll(rootDir, 'locked');
  expect((await cli.run(['key', 'generate', 'release'], { cwd: cli.dir, env })).exitCode).toBe(0);
});
beforeEach(() => proxy.reset());
afterAll(async () => {
  for (const host of [proxy.host, registry.host])
    for (const path of [name, `${name}-base`]) await removeRepository(engine, `${host}/${path}`);
  await removeRepository(engine, name);
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

function recordOf<T = ImageRecord>({ exitCode, stdout, stderr }: CliResult): T {
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as T;
}

const plain = (text: string) =>
  cli
    .plain(text)
    .replaceAll(name, 'NAME')
    .replaceAll(proxy.host, 'REGISTRY')
    .replaceAll(registry.host, 'REGISTRY')
    .replaceAll(engine, 'ENGINE')
    .replaceAll(/\b[0-9a-f]{12,64}\b/g, 'ID');

const told = ({ exitCode, stderr }: CliResult) => [exitCode, plain(stderr.slice(stderr.indexOf('error:')))];

const run = (args: string[], options: CallOptions = {}) => cli.run(args, { cwd: rootDir, env, ...options });
const sign = () => ['--registry', proxy.host, '--sign-key', join(cli.dir, 'release.key')];

interface Json {
  mediaType: string;
  digest: string;
  size: number;
  platform: object;
  artifactType: string;
}

interface ManifestJson {
  mediaType: string;
  manifests: Json[];
  layers: Json[];
  config: Json;
  annotations: Record<string, string>;
}

const types = ['manifest', 'index'].map((kind) => `application/vnd.oci.image.${kind}.v1+json`);
const ask = (path: string) =>
  fetch(`http://${registry.host}/v2/${name}/${path}`, { headers: { accept: types.join(', ') } });
const fetchJson = async (path: string) => (await (await ask(path)).json()) as ManifestJson;
const digestAt = async (tag: string) => (await ask(`manifests/${tag}`)).headers.get('docker-content-digest');

const putTag = async (tag: string, body: string) => {
  const headers = { 'content-type': types[1]! };
  const answer = await fetch(`http://${registry.host}/v2/${name}/manifests/${tag}`, { method: 'PUT', headers, body });
  expect(answer.status).toBe(201);
};

/** By the tags that stand in for the API where a registry has none. */
const referrersOf = async (digest: string) => {
  const { manifests = [] } = await fetchJson(`manifests/${digest.replace(':', '-')}`);
  return manifests.map(({ artifactType }) => artifactType.replace(/^application\/(vnd\.)?/, '')).sort();
};

/** The text of what stands beside a manifest or an index. */
async function readDocument(digest: string, type: string): Promise<string> {
  const { manifests } = await fetchJson(`manifests/${digest.replace(':', '-')}`);
  const referrer = manifests.find(({ artifactType }) => artifactType === type);
  const { layers } = await fetchJson(`manifests/${referrer?.digest}`);
  return (await ask(`blobs/${layers[0]?.digest}`)).text();
}

/** What the provenance of an index says that it stands on. */
async function bases(digest: string): Promise<string[]> {
  const { predicate } = JSON.parse(await readDocument(digest, 'application/vnd.in-toto+json')) as {
    predicate: { buildDefinition: { resolvedDependencies: { name: string }[] } };
  };
  const names = predicate.buildDefinition.resolvedDependencies.map((each) => each.name);
  return names.filter((each) => each.startsWith('base'));
}

describe('a release for two platforms', () => {
  let record: ImageRecord;

  beforeAll(async () => {
    record = recordOf(await run(['image', '--release', '1.0.0', '--tag', 'latest', '--push', '--json', ...sign()]));
  });

  test('is an index of two images in the registry, under version and tag, with nothing else in it', async () => {
    const { pushed, platforms } = record;
    expect(platforms?.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
    expect([await digestAt('1.0.0'), await digestAt('latest')]).toEqual([pushed!.digest, pushed!.digest]);
    const index = await fetchJson('manifests/1.0.0');
    expect(index).toEqual({
      schemaVersion: 2,
      mediaType: types[1],
      annotations: expect.objectContaining({ 'org.opencontainers.image.version': '1.0.0' }),
      manifests: [
        {
          mediaType: types[0],
          digest: expect.any(String),
          size: expect.any(Number),
          platform: { os: 'linux', architecture: 'amd64' },
        },
        { mediaType: types[0], digest: expect.any(String), size: expect.any(Number), platform: arm64 },
      ],
    });
    const configs = await Promise.all(
      index.manifests.map(async ({ digest }) => (await fetchJson(`manifests/${digest}`)).config.digest),
    );
    expect(configs).toEqual(platforms?.map(({ imageId }) => imageId));
  });

  test('has each platform’s own base below, compressed as its registry has it, and the very same layers on it', async () => {
    const { manifests } = await fetchJson('manifests/1.0.0');
    const [amd, arm] = await Promise.all(manifests.map(({ digest }) => fetchJson(`manifests/${digest}`)));
    expect([amd!.layers[0]?.digest, arm!.layers[0]?.digest]).toEqual(baseLayers);
    expect(amd!.layers.slice(1)).toEqual(arm!.layers.slice(1));
    expect(amd!.layers).toHaveLength(3);
  });

  test('is pulled and run by an engine of its platform, which knows it by the id that was told', async () => {
    expect((await inspectImage(engine, `${name}:1.0.0`))?.Id).toBe(record.imageId);
    for (const tag of ['1.0.0', 'latest']) await removeTag(engine, `${name}:${tag}`);
    const reference = `${registry.host}/${name}`;
    await askEngine(engine, 'POST', `/images/create?fromImage=${encodeURIComponent(reference)}&tag=1.0.0`);
    expect((await inspectImage(engine, `${reference}:1.0.0`))?.Id).toBe(record.imageId);
    expect(await runImage(engine, `${reference}:1.0.0`)).toBe('first of Linux\n');
    await removeRepository(engine, reference);
  });

  test('has bills of materials beside each image, provenance beside the index, and signatures beside all', async () => {
    const { digest } = record.pushed!;
    const { manifests } = await fetchJson('manifests/1.0.0');
    const signed = ['dev.cosign.artifact.att.v1+json', 'dev.cosign.artifact.sig.v1+json'];
    expect(await referrersOf(digest)).toEqual([...signed, 'in-toto+json']);
    for (const image of manifests)
      expect(await referrersOf(image.digest)).toEqual(['cyclonedx+json', ...signed, 'spdx+json'].sort());
    expect((await ask(`manifests/${digest.replace(':', '-')}.sig`)).status).toBe(200);
    const bills = await Promise.all(manifests.map((image) => readDocument(image.digest, 'application/spdx+json')));
    expect(bills.map((bill) => /pkg:deb\/\w+\/tiny[^"]*/.exec(bill)?.[0])).toEqual([
      undefined,
      expect.stringContaining('arch=arm64'),
    ]);
    expect((await fetchJson('manifests/1.0.0')).manifests).toHaveLength(2);
  });

  test('is taken by tools of others: crane finds it valid, skopeo copies all of it, cosign knows who signed it', async () => {
    await using tools = await startTools(engine, [cli.dir]);
    const reference = `${registry.host}/${name}`;
    expect(await tools.must('crane validate --remote "$1" 2>&1', `${reference}:1.0.0`)).toMatch(/^PASS: /);
    const { manifests } = await fetchJson('manifests/1.0.0');
    expect(await tools.must('crane digest --platform linux/arm64/v8 "$1"', `${reference}:1.0.0`)).toBe(
      manifests[1]?.digest,
    );
    await tools.must('skopeo copy --all --src-tls-verify=false "docker://$1" oci:/tmp/copied:1', `${reference}:1.0.0`);
    const verify = 'cosign verify --key "$1" --insecure-ignore-tlog "$2"';
    const attested = verify.replace('verify', 'verify-attestation --type slsaprovenance1');
    const key = join(cli.dir, 'release.pub');
    for (const digest of [record.pushed!.digest, ...manifests.map((image) => image.digest)])
      expect(await tools.must(verify, key, `${reference}@${digest}`)).toContain(digest);
    await tools.must(attested, key, `${reference}:1.0.0`);
  });

  test('is released already when it is made again, and a second push only asks', async () => {
    const again = recordOf(await run(['image', '--release', '1.0.0', '--json']));
    expect(again).toMatchObject({ alreadyReleased: true, indexDigest: record.indexDigest });
    proxy.reset();
    const flags = ['--json', ...sign()];
    const pushed = recordOf<PushRecord>(await run(['push', `${name}:1.0.0`, ...flags], { cwd: cli.dir }));
    expect(pushed).toEqual({
      ...record.pushed,
      alreadyReleased: true,
      tags: [],
      attached: [],
      layersSent: 0,
      bytesSent: 0,
    });
    expect(proxy.requests.filter(({ method }) => !['GET', 'HEAD'].includes(method))).toEqual([]);
  });

  test('is listed by platform, inspected for either, and its provenance names both bases', async () => {
    const { releases } = recordOf<{ releases: ListedRelease[] }>(
      await run(['releases', '--json', '--registry', proxy.host]),
    );
    expect(releases.map(({ version, platform, where }) => [version, platform, where])).toEqual([
      ['1.0.0', 'linux/amd64', ['store', proxy.host]],
      ['1.0.0', 'linux/arm64', ['store', proxy.host]],
    ]);
    const table = await run(['releases']);
    expect(table.stdout.split('\n').map((row) => row.split(/ {2,}/).slice(1, 3))).toEqual([
      ['VERSION', 'PLATFORM'],
      ['1.0.0', 'linux/amd64'],
      ['1.0.0', 'linux/arm64'],
      [],
    ]);
    expect(await bases(record.pushed!.digest)).toEqual(['base image', 'base image for linux/arm64']);
    for (const reference of [`${name}:1.0.0`, `${proxy.host}/${name}:1.0.0`]) {
      const { stdout } = await run(['inspect', reference, '--platform', 'linux/arm64', '--json']);
      expect(JSON.parse(stdout)).toMatchObject({ imageId: record.platforms?.[1]?.imageId });
    }
    const s390x = await run(['inspect', `${name}:1.0.0`, '--platform', 'linux/s390x']);
    expect(told(s390x)).toMatchInlineSnapshot(`
      [
        2,
        "error: NAME:1.0.0 has no image for linux/s390x; it has linux/amd64, linux/arm64/v8
        try: --platform linux/amd64
      ",
      ]
    `);
  });

  test('is verified by building it for both again, and what somebody added to the index is found', async () => {
    using auditor = openCli({ engine, toolchain: inject('baseImage') });
    const clone = join(auditor.dir, 'clone');
    git('/', 'clone', '-q', rootDir, clone);
    const key = ['--key', join(cli.dir, 'release.pub')];
    const verified = await auditor.run(['verify', `${proxy.host}/${name}:1.0.0`, '--json', ...key], { cwd: clone });
    expect(recordOf(verified)).toMatchObject({
      digest: record.pushed?.digest,
      platforms: ['linux/amd64', 'linux/arm64'],
      rebuilt: true,
    });
    const index = await fetchJson('manifests/1.0.0');
    const more = { ...index.manifests[0]!, platform: { os: 'unknown', architecture: 'unknown' } };
    const body = JSON.stringify({ ...index, manifests: [...index.manifests, more] });
    await putTag('forged', body);
    const forged = await auditor.run(['verify', `${proxy.host}/${name}:forged`, '--no-rebuild'], { cwd: clone });
    expect(told(forged)).toMatchInlineSnapshot(`
      [
        2,
        "error: REGISTRY/NAME:forged is an index that gbuild did not write: it does not list exactly the 2 images in it
        try: gbuild inspect REGISTRY/NAME:forged
      ",
      ]
    `);
    const bytes = await (await ask('manifests/1.0.0')).text();
    await putTag('1.0.0', body);
    expect(told(await run(['push', `${name}:1.0.0`, '--registry', proxy.host]))).toMatchInlineSnapshot(`
      [
        2,
        "error: REGISTRY/NAME:1.0.0 is an index that gbuild did not write: it does not list exactly the 2 images in it
        try: gbuild inspect REGISTRY/NAME:1.0.0
      ",
      ]
    `);
    await putTag('1.0.0', bytes);
  });

  test('never moves: one that differs is refused with its platform, layer and file, and so is one for fewer', async () => {
    const before = await digestAt('1.0.0');
    writeFileSync(join(rootDir, 'src/run.sh'), 'echo second\n');
    commitAll(rootDir, 'second');
    expect(told(await run(['image', '--release', '1.0.0']))).toMatchInlineSnapshot(`
      [
        2,
        "error: NAME:1.0.0 for linux/amd64 is released already as ID (in the release store), and this would be ID:
        gbuild layer: made: changed app/out/copy
        gbuild layer: application: changed app/src/run.sh
        commit: ID, now ID
        try: release the change under a new version
        try: git log   # which commit was NAME:1.0.0 for linux/amd64?
      ",
      ]
    `);
    using other = openCli({ engine, toolchain: inject('baseImage') });
    const clone = join(other.dir, 'clone');
    git('/', 'clone', '-q', rootDir, clone);
    await removeTag(engine, `${name}:1.0.0`);
    const args = ['image', '--release', '1.0.0', '--push', '--registry', proxy.host];
    expect(told(await other.run(args, { cwd: clone }))).toMatchInlineSnapshot(`
      [
        2,
        "error: REGISTRY/NAME:1.0.0 for linux/amd64 is released already as ID (in REGISTRY), and this would be ID:
        gbuild layer: made: changed app/out/copy
        gbuild layer: application: changed app/src/run.sh
        commit: ID, now ID
        try: release the change under a new version
        try: git log   # which commit was REGISTRY/NAME:1.0.0 for linux/amd64?
      ",
      ]
    `);
    await removeTag(engine, `${name}:1.0.0`);
    git(rootDir, 'reset', '-q', '--hard', 'HEAD~1');
    writeFileSync(join(rootDir, 'gbuild.yml'), `${head()}${specOf('[linux/amd64]')}`);
    commitAll(rootDir, 'one platform');
    expect(told(await run(['image', '--release', '1.0.0']))).toMatchInlineSnapshot(`
      [
        2,
        "error: NAME:1.0.0 is released already for linux/amd64 and linux/arm64 (in the release store), and this would be for linux/amd64
        try: release the change under a new version
      ",
      ]
    `);
    git(rootDir, 'reset', '-q', '--hard', 'HEAD~1');
    expect(await digestAt('1.0.0')).toBe(before);
  });

  test('is written out whole as a layout, and as an archive for the engine’s platform', async () => {
    const out = (kind: string) => join(cli.dir, kind);
    const outputs = ['--output', `oci:${out('layout')}`, '--output', `docker-archive:${out('image.tar')}`];
    recordOf(await run(['image', '--release', '1.0.0', '--json', ...outputs]));
    const { manifests } = JSON.parse(readFileSync(join(out('layout'), 'index.json'), 'utf8')) as ManifestJson;
    expect(manifests).toEqual([expect.objectContaining({ mediaType: types[1], digest: record.indexDigest })]);
    for (const [at, platform] of ['linux/amd64', 'linux/arm64'].entries()) {
      const { stdout } = await run(['inspect', `oci:${out('layout')}`, '--platform', platform, '--json']);
      expect(JSON.parse(stdout)).toMatchObject({ imageId: record.platforms?.[at]?.imageId });
    }
    const { stdout } = await run(['inspect', `docker-archive:${out('image.tar')}`, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ imageId: record.imageId });
  });

  test('is not put on another base, and outdated asks for each platform', async () => {
    expect(told(await run(['rebase', '1.0.0', '--release', '1.0.9']))).toMatchInlineSnapshot(`
      [
        2,
        "error: NAME:1.0.0 is an index of 2 images by platform, and only a single image is put on another base
        try: gbuild lock --update, then gbuild image --release 1.0.2   # builds all of them on new bases
      ",
      ]
    `);
    expect(plain((await run(['outdated', '--all'])).stdout)).toMatchInlineSnapshot(`
      "NAME:1.0.0 for linux/amd64 is on the current REGISTRY/NAME-base:1
      NAME:1.0.0 for linux/arm64 is on REGISTRY/NAME-base:1; neither gbuild.lock nor this engine knows the current one
      "
    `);
  });

  test('keeps all that its images need when the store is pruned, and goes as one', async () => {
    for (const version of ['1.0.1', '1.0.2']) {
      writeFileSync(join(rootDir, 'src/text'), version);
      commitAll(rootDir, version);
      recordOf(await run(['image', '--release', version, '--json']));
    }
    ageStore(cli.dataDir, 100);
    const prune = ['releases', 'prune', '--keep', '2', '--force', '--json'];
    expect(recordOf<PruneReport>(await run(prune)).releases).toEqual([]);
    const names = await verifyStore(cli.dataDir);
    expect(names.filter((each) => !each.startsWith('gbuild-base:'))).toEqual(
      ['1.0.0', '1.0.1', '1.0.2', 'latest'].map((tag) => `${name}:${tag}`),
    );
    expect(names).toHaveLength(6);
    expect(recordOf<PruneReport>(await run(prune.with(3, '1'))).releases).toEqual([`${name}:1.0.1`]);
    expect(await verifyStore(cli.dataDir)).toHaveLength(5);
    recordOf(await run(['push', `${name}:1.0.2`, '--json', '--registry', proxy.host]));
  });
});

/** A repository of its own, released as it is. */
async function refusedWith(folder: string, spec: string, files: Record<string, string | Buffer> = {}) {
  const dir = cli.tasks(folder, spec, { 'src/run.sh': 'echo\n', '.gitignore': 'out/\n' });
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), bytes, { mode: 0o755 });
  }
  const locked = await cli.run(['lock'], { cwd: dir });
  expect(locked.exitCode, locked.stderr).toBe(0);
  commitAll(dir, 'locked');
  return { dir, result: await cli.run(['image', '--release', '1.0.0'], { cwd: dir }) };
}

/** The first bytes of an ELF file. */
function elfFor(machine: number): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeUInt16LE(machine, 18);
  return bytes;
}

test('machine code for one of the platforms is refused with its layer and file; packages that have it for each are not', async () => {
  const folder = `${name}-native`;
  const addon = 'src/node_modules/addon/build/Release/addon.node';
  const both = {
    'src/node_modules/a/prebuilds/linux-x64/a.node': elfFor(62),
    'src/node_modules/a/prebuilds/linux-arm64/a.node': elfFor(183),
  };
  const { dir, result } = await refusedWith(folder, specOf(), { ...both, [addon]: elfFor(62) });
  expect(told(result)).toMatchInlineSnapshot(`
    [
      2,
      "error: NAME-native:1.0.0 cannot be the same for linux/amd64 and linux/arm64: its layers hold machine code
      gbuild layer: application: app/src/node_modules/addon/build/Release/addon.node: ELF for x86-64
      try: depend on what brings it for each of the platforms, such as packages with prebuilds/linux-x64 and prebuilds/linux-arm64
      try: leave it out if it is not needed: exclude, under image.layers
      try: or name one platform under image.platforms: what is built is for that of its engine
    ",
    ]
  `);
  expect(await inspectImage(engine, `${folder}:1.0.0`)).toBeUndefined();
  git(dir, 'rm', '-q', addon);
  commitAll(dir, 'without it');
  expect(recordOf(await cli.run(['image', '--release', '1.0.0', '--json'], { cwd: dir })).platforms).toHaveLength(2);
  await removeRepository(engine, folder);
});

test('a base that lacks a platform, one that is another on the engine, and platforms without the engine’s are refused', async () => {
  const missing = await refusedWith(`${name}-s390x`, specOf('[linux/amd64, linux/s390x]'));
  expect(told(missing.result)).toMatchInlineSnapshot(`
    [
      2,
      "error: the base REGISTRY/NAME-base:1 has no image for linux/s390x; it has linux/amd64, linux/arm64
      try: name a base under image.base that has every platform
      try: or leave the platform out: image.platforms
    ",
    ]
  `);
  const without = await refusedWith(`${name}-without`, specOf('[linux/arm64]'));
  expect(told(without.result)).toMatchInlineSnapshot(`
    [
      2,
      "error: image.platforms of NAME-without:1.0.0 is linux/arm64, without linux/amd64, the platform of ENGINE that builds it
      try: write linux/amd64 under image.platforms too
      try: or build on an engine of one of them: --context NAME
    ",
    ]
  `);
  const moved = `${proxy.host}/${name}-base:moved`;
  await askEngine(engine, 'POST', `/images/create?fromImage=${encodeURIComponent(base())}`);
  await askEngine(
    engine,
    'POST',
    `/images/${base()}/tag?repo=${encodeURIComponent(`${proxy.host}/${name}-base`)}&tag=moved`,
  );
  const [own, foreign] = [makeForeign({ os: 'linux', architecture: 'amd64' }, 'moved'), makeForeign(arm64, 'moved')];
  await putIndex(registry.host, `${name}-base`, 'moved', [
    { ...(await pushForeign(registry.host, `${name}-base`, own)), platform: { os: 'linux', architecture: 'amd64' } },
    { ...(await pushForeign(registry.host, `${name}-base`, foreign)), platform: arm64 },
  ]);
  const mixed = await refusedWith(`${name}-mixed`, specOf(undefined, moved));
  expect(told(mixed.result)).toMatchInlineSnapshot(`
    [
      2,
      "error: the base REGISTRY/NAME-base:moved on ENGINE is not the one that its registry has beside the other platforms'
      try: docker pull REGISTRY/NAME-base:moved
      try: name it by the digest of its index: image.base: NAME@sha256:...
    ",
    ]
  `);
});

test('a base of another platform that lacks the program refuses the release, by that platform', async () => {
  const [own, foreign] = [makeForeign({ os: 'linux', architecture: 'amd64' }, 'bare'), makeForeign(arm64, 'bare', [])];
  await putIndex(registry.host, `${name}-base`, 'bare', [
    { ...(await pushForeign(registry.host, `${name}-base`, own)), platform: { os: 'linux', architecture: 'amd64' } },
    { ...(await pushForeign(registry.host, `${name}-base`, foreign)), platform: arm64 },
  ]);
  const { result } = await refusedWith(`${name}-bare`, specOf(undefined, `${proxy.host}/${name}-base:bare`));
  expect(told(result)).toMatchInlineSnapshot(`
    [
      2,
      "error: NAME-bare:1.0.0 for linux/arm64 could not start:
      its program sh is in no folder of its PATH (/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
      try: correct image.entrypoint in gbuild.yml
      try: put sh into the base, REGISTRY/NAME-base:bare, or name another one: image.base in gbuild.yml
    ",
    ]
  `);
});

test('an image of nothing is for any platform, and one that is no release is for the engine alone', async () => {
  const folder = `${name}-scratch`;
  const spec = specOf('[linux/riscv64, linux/amd64, linux/arm/v6]', 'scratch').replace(
    '[sh, /app/src/run.sh]',
    '[/app/src/run]',
  );
  const { dir, result } = await refusedWith(folder, spec, { 'src/run': anyProgram });
  expect(result.exitCode, result.stderr).toBe(0);
  const again = recordOf(await cli.run(['image', '--release', '1.0.0', '--json'], { cwd: dir }));
  expect(again.platforms?.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm/v6', 'linux/riscv64']);
  expect(recordOf(await cli.run(['image', '--json'], { cwd: dir })).platforms).toBeUndefined();
  await removeRepository(engine, folder);
});

/** A toolchain of two scripts, and a repository that is built in it. */
const tiny = `multi${process.pid}`;
const toolchainFiles = {
  [`toolchains/${tiny}/toolchain.yml`]: `toolchain: 1
name: ${tiny}
title: Tiny
base: bookworm
versions: { linux/amd64: 1.2.3, linux/arm64: 1.2.3 }
tools: { tiny: tiny }
detect:
  any: [{ file: tiny.txt }]
layers:
  - { name: text, from: [tiny.txt], to: /app }
entrypoint:
  - { fact: { file: tiny.txt }, command: [tiny], because: there is a tiny.txt }
`,
  [`toolchains/${tiny}/Dockerfile`]: `ARG GBUILD_ROOT
ARG GBUILD_RUNTIME
FROM \${GBUILD_ROOT} AS build
RUN printf '#!/bin/sh\\necho 1.2.3\\n' > /usr/local/bin/tiny && chmod 0755 /usr/local/bin/tiny && \\
    mkdir -p /workspace && install -d -m 1777 /cache /home/gbuild
FROM \${GBUILD_RUNTIME} AS runtime
COPY --from=build /usr/local/bin/tiny /usr/local/bin/tiny
`,
  'tiny.txt': 'a text\n',
};

test('the runtime of another platform is the one that gbuild.lock names, from the registry that has it', async () => {
  const app = `${name}-auto`;
  const yml = `gbuild: 1\nname: ${app}\ntoolchain: ${tiny}\ncatalogs: [./toolchains]\nimage: {platforms: [linux/amd64, linux/arm64]}\n`;
  const dir = cli.repository(app, { ...toolchainFiles, 'gbuild.yml': yml });
  const release = () => cli.run(['image', '--release', '1.0.0', '--json'], { cwd: dir });
  const change = (edit: (toolchain: LockedToolchain) => void) => {
    const lock = readLock(dir)!;
    edit(lock.toolchain);
    writeLock(dir, lock);
    commitAll(dir, 'lock');
  };
  try {
    recordOf(await cli.run(['lock', '--json'], { cwd: dir }));
    commitAll(dir, 'locked');
    const problem = async () => plain(JSON.parse((await release()).stdout).error.message);
    expect(await problem()).toMatchInlineSnapshot(
      `"there is no base for linux/arm64: gbuild.lock has no entry for linux/arm64"`,
    );
    const foreign = makeForeign(arm64, 'runtime', ['usr/local/bin/tiny']);
    const entry = { build: `sha256:${'0'.repeat(64)}`, runtime: foreign.id };
    change(({ platforms }) => Object.assign(platforms, { 'linux/arm64': entry }));
    expect(await problem()).toMatchInlineSnapshot(
      `"there is no base for linux/arm64: gbuild.lock names ID for linux/arm64, and no registry is named that could have it"`,
    );
    change((toolchain) => Object.assign(toolchain, { registry: registry.host }));
    expect(await problem()).toMatchInlineSnapshot(
      `"there is no base for linux/arm64: gbuild.lock names ID for linux/arm64, and REGISTRY has no such image"`,
    );
    await pushForeign(registry.host, `gbuild/${tiny}`, foreign, foreign.id.replace('sha256:', 'id-').slice(0, 43));
    const made = recordOf(await release());
    expect(made.platforms?.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
    const { stdout } = await cli.run(['inspect', `${app}:1.0.0`, '--platform', 'linux/arm64', '--json'], { cwd: dir });
    const { layers } = JSON.parse(stdout) as { layers: { diffId: string }[] };
    expect(layers.map(({ diffId }) => diffId)).toEqual([foreign.layers[0]?.diffId, made.layers[0]?.diffId]);
    change(({ platforms }) => delete platforms['linux/amd64']);
    recordOf(await cli.run(['lock', '--json'], { cwd: dir }));
    const { platforms } = readLock(dir)!.toolchain;
    expect([Object.keys(platforms), platforms['linux/arm64']]).toEqual([['linux/amd64', 'linux/arm64'], entry]);
  } finally {
    for (const repository of [app, `gbuild/${tiny}`]) await removeRepository(engine, repository);
  }
});

test('the Node example is released for both without a change but its platforms, pulled, and answers', async () => {
  const example = `${name}-node`;
  const dir = copyOf('examples/node-hello', join(cli.dir, 'hello'), example);
  const yml = readFileSync(join(dir, 'gbuild.yml'), 'utf8');
  writeFileSync(join(dir, 'gbuild.yml'), yml.replace(/^image:$/m, '$&\n  platforms: [linux/amd64, linux/arm64]'));
  const foreign = makeForeign(arm64, 'a runtime of Node', ['usr/local/bin/node']);
  const reference = `${registry.host}/${example}`;
  try {
    recordOf(await cli.run(['lock', '--json'], { cwd: dir }));
    const lock = readLock(dir)!;
    lock.toolchain.platforms['linux/arm64'] = { build: `sha256:${'0'.repeat(64)}`, runtime: foreign.id };
    writeLock(dir, { ...lock, toolchain: { ...lock.toolchain, registry: registry.host } });
    commitAll(dir, 'locked for both');
    await pushForeign(registry.host, 'gbuild/node', foreign, foreign.id.replace('sha256:', 'id-').slice(0, 43));
    const args = ['image', '--release', '1.0.1', '--push', '--registry', registry.host, '--json'];
    const { imageId, platforms, layers } = recordOf(await cli.run(args, { cwd: dir }));
    expect(platforms?.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64']);
    expect(layers.map((each) => each.name)).toContain('gbuild layer: dependencies');
    await removeRepository(engine, example);
    await askEngine(engine, 'POST', `/images/create?fromImage=${encodeURIComponent(reference)}&tag=1.0.1`);
    expect((await inspectImage(engine, `${reference}:1.0.1`))?.Id).toBe(imageId);
    const { id, port } = await startContainer(engine, `${reference}:1.0.1`, '8080/tcp');
    try {
      const answer = await askUntilUp(`http://127.0.0.1:${port}/`, 30);
      expect(answer).toMatchObject({ hello: 'world', version: '1.0.1' });
    } finally {
      await removeContainer(engine, id);
    }
  } finally {
    for (const repository of [example, reference]) await removeRepository(engine, repository);
  }
});
