import { execFileSync } from 'node:child_process';
import { randomBytes, verify } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { PushRecord } from '../../../src/actions/release/push/push.ts';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { Layout } from '../../../src/oci/layout/layout.ts';
import { annotationKeys } from '../../../src/oci/spec.ts';
import { type CallOptions, type CliResult, commitAll, git, openCli } from '../../support/cli/cli.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { importImage, inspectImage, removeRepository, removeTag } from '../../support/engines/engine-images.ts';
import { type FaultProxy, startFaultProxy } from '../../support/network/fault-proxy.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';

const engine = inject('engineHost');
const name = `e2e-push-${process.pid}`;
const base = `${name}-base:1`;
const cli = openCli({ engine, toolchain: base });
let registry: TestRegistry;
let proxy: FaultProxy;
let rootDir: string;

beforeAll(async () => {
  await importImage(engine, base, { here: 'a base' });
  registry = await startRegistry();
  proxy = await startFaultProxy(registry.host);
  rootDir = repositoryOf(name);
});
beforeEach(() => proxy.reset());
afterAll(async () => {
  for (const repository of [name, `${name}-base`, `${name}-other`]) await removeRepository(engine, repository);
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

/** A repository whose image is two layers on a base of one file, its toolchain locked. */
function repositoryOf(folder: string, text = 'first'): string {
  const layers = '[{name: large, from: [large]}, {name: application, from: [src]}]';
  const dir = cli.tasks(folder, `image:\n  layers: ${layers}\n  entrypoint: [/app/src/run.sh]\n`, {
    'src/run.sh': `#!/bin/sh\necho ${text}\n`,
  });
  mkdirSync(join(dir, 'large'));
  writeFileSync(join(dir, 'large/bytes'), randomBytes(3_000_000));
  return dir;
}

async function lockAndCommit(dir: string): Promise<void> {
  expect((await cli.run(['lock'], { cwd: dir })).exitCode).toBe(0);
  commitAll(dir, 'locked');
}

interface Referrer {
  artifactType: string;
  annotations: Record<string, string>;
}

const push = (release: string, flags: string[] = [], options: CallOptions = {}) =>
  cli.run(['push', release, '--registry', proxy.host, '--json', ...flags], { cwd: rootDir, ...options });

function recordOf<T = PushRecord>({ exitCode, stdout, stderr }: CliResult): T {
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as T;
}

const plain = (text: string) =>
  cli
    .plain(text)
    .replaceAll(name, 'NAME')
    .replaceAll(proxy.host, 'REGISTRY')
    .replaceAll(registry.host, 'REGISTRY')
    .replaceAll(/\b[0-9a-f]{12,64}\b/g, 'ID');

async function readTag(repository: string, tag: string): Promise<{ digest: string | null; config?: string }> {
  const accept = 'application/vnd.oci.image.manifest.v1+json';
  const answer = await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag}`, { headers: { accept } });
  if (answer.status === 404) return { digest: null };
  const { config } = (await answer.json()) as { config: { digest: string } };
  return { digest: answer.headers.get('docker-content-digest'), config: config.digest };
}

const bytesSent = () => proxy.requests.reduce((sum, { sent }) => sum + sent, 0);

test('a release is made and pushed in one go, and what another engine pulls is the same image', async () => {
  await lockAndCommit(rootDir);
  const args = ['image', '--release', '1.0.0', '--push', '--registry', proxy.host, '--tag', 'latest', '--json'];
  const { pushed, imageId } = recordOf<ImageRecord>(await cli.run(args, { cwd: rootDir }));
  expect(pushed).toMatchObject({ reference: `${proxy.host}/${name}:1.0.0`, alreadyReleased: false, layersSent: 3 });
  expect([await readTag(name, '1.0.0'), await readTag(name, 'latest')]).toEqual([
    { digest: pushed!.digest, config: imageId },
    { digest: pushed!.digest, config: imageId },
  ]);
  const reference = `${registry.host}/${name}`;
  for (const own of [`${name}:1.0.0`, `${name}:latest`]) await removeTag(engine, own);
  await askEngine(engine, 'POST', `/images/create?fromImage=${encodeURIComponent(reference)}&tag=1.0.0`);
  expect((await inspectImage(engine, `${reference}:1.0.0`))?.Id).toBe(imageId);
  await removeRepository(engine, reference);
});

test('a second push sends nothing but questions, needs no engine and no repository', async () => {
  const env = { DOCKER_HOST: 'unix:///nowhere.sock', GBUILD_REGISTRY: proxy.host };
  const again = await cli.run(['push', `${name}:1.0.0`], { cwd: cli.dir, env });
  expect([again.exitCode, plain(again.stdout)]).toEqual([0, 'REGISTRY/NAME:1.0.0 already released (ID)\n']);
  expect([bytesSent(), proxy.requests.filter(({ method }) => !['GET', 'HEAD'].includes(method))]).toEqual([0, []]);
});

const types = ['manifest', 'index'].map((kind) => `application/vnd.oci.image.${kind}.v1+json`);
const accept = { headers: { accept: types.join(', ') } };
const fetchJson = async (path: string) => (await fetch(`http://${registry.host}/v2/${path}`, accept)).json();

/** What refers to an image, by the tag that stands in for the API where a registry has none: artifact types and manifests. */
async function readReferrers(digest: string) {
  const { manifests } = (await fetchJson(`${name}/manifests/${digest.replace(':', '-')}`)) as {
    manifests: { digest: string; artifactType: string }[];
  };
  return manifests;
}

async function readDocument(digest: string, type: string): Promise<unknown> {
  const referrer = (await readReferrers(digest)).find(({ artifactType }) => artifactType === type);
  const manifest = (await fetchJson(`${name}/manifests/${referrer?.digest}`)) as { layers: { digest: string }[] };
  return fetchJson(`${name}/blobs/${manifest.layers[0]?.digest}`);
}

test('beside a release stand bills of materials and provenance: the same however often it is pushed', async () => {
  const { digest } = await readTag(name, '1.0.0');
  const before = await readReferrers(digest!);
  expect(before.map(({ artifactType }) => artifactType).sort()).toEqual([
    'application/spdx+json',
    'application/vnd.cyclonedx+json',
    'application/vnd.in-toto+json',
  ]);
  const provenance = (await readDocument(digest!, 'application/vnd.in-toto+json')) as {
    subject: unknown;
    predicate: {
      buildDefinition: { externalParameters: object; resolvedDependencies: { name: string; digest: object }[] };
    };
  };
  const { externalParameters, resolvedDependencies } = provenance.predicate.buildDefinition;
  expect(provenance.subject).toEqual([{ name: `${proxy.host}/${name}`, digest: { sha256: digest!.slice(7) } }]);
  expect(externalParameters).toMatchObject({ version: '1.0.0', toolchain: base, tasks: [], platform: 'linux/amd64' });
  expect(resolvedDependencies.map((each) => each.name)).toEqual(['source', 'gbuild.lock', 'build image', 'base image']);
  expect(resolvedDependencies[0]?.digest).toEqual({ gitCommit: git(rootDir, 'rev-list', '-1', 'HEAD') });
  expect(await readDocument(digest!, 'application/spdx+json')).toMatchObject({ spdxVersion: 'SPDX-2.3' });
  expect(recordOf(await push(`${name}:1.0.0`)).attached).toEqual([]);
  expect(await readReferrers(digest!)).toEqual(before);
});

test('a release is signed with the key that is named, once, and cosign’s tags lead to it', async () => {
  const env = { COSIGN_PASSWORD: 'of the tests' };
  const made = await cli.run(['key', 'generate', 'release'], { cwd: cli.dir, env });
  expect([made.exitCode, plain(made.stdout)]).toMatchInlineSnapshot(`
    [
      0,
      "<dir>/release.key: keep it, and its password, to yourself
    <dir>/release.pub: give it to whoever verifies
    ",
    ]
  `);
  expect((await cli.run(['key', 'generate', 'release'], { cwd: cli.dir, env })).exitCode).toBe(2);
  const flags = ['--sign-key', join(cli.dir, 'release.key')];
  const { attached, digest } = recordOf(await push(`${name}:1.0.0`, flags, { env }));
  expect(attached).toEqual([
    'application/vnd.dev.cosign.artifact.sig.v1+json',
    'application/vnd.dev.cosign.artifact.att.v1+json',
  ]);
  const signed = (await fetchJson(`${name}/manifests/${digest.replace(':', '-')}.sig`)) as {
    layers: { digest: string; annotations: Record<string, string> }[];
  };
  const payload = await (await fetch(`http://${registry.host}/v2/${name}/blobs/${signed.layers[0]?.digest}`)).text();
  const signature = Buffer.from(signed.layers[0]?.annotations['dev.cosignproject.cosign/signature'] ?? '', 'base64');
  expect(verify('sha256', Buffer.from(payload), readFileSync(join(cli.dir, 'release.pub')), signature)).toBe(true);
  expect(JSON.parse(payload).critical.image).toEqual({ 'docker-manifest-digest': digest });
  expect(recordOf(await push(`${name}:1.0.0`, flags, { env })).attached).toEqual([]);
  const configHome = join(cli.dir, 'config');
  mkdirSync(join(configHome, 'gbuild'), { recursive: true });
  writeFileSync(join(configHome, 'gbuild/config.yml'), 'config: 1\nsigning: {bundles: true}\n');
  const bundling = { env: { ...env, XDG_CONFIG_HOME: configHome } };
  const bundle = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  expect(recordOf(await push(`${name}:1.0.0`, flags, bundling)).attached).toEqual([bundle]);
  const { manifests } = (await fetchJson(`${name}/manifests/${digest.replace(':', '-')}`)) as { manifests: Referrer[] };
  const predicates = manifests
    .filter(({ artifactType }) => artifactType === bundle)
    .map(({ annotations }) => annotations);
  expect(predicates.map((each) => each['dev.sigstore.bundle.predicateType']).sort()).toEqual([
    'https://cyclonedx.org/bom',
    'https://sigstore.dev/cosign/sign/v1',
    'https://slsa.dev/provenance/v1',
    'https://spdx.dev/Document',
  ]);
  expect(recordOf(await push(`${name}:1.0.0`, flags, bundling)).attached).toEqual([]);
  const wrong = await push(`${name}:1.0.0`, flags, { env: { COSIGN_PASSWORD: 'wrong' } });
  expect([wrong.exitCode, plain(JSON.parse(wrong.stdout).error.message)]).toMatchInlineSnapshot(`
    [
      2,
      "the password does not open <dir>/release.key",
    ]
  `);
  const missing = await push(`${name}:1.0.0`, ['--sign-key', 'nowhere.key']);
  expect([missing.exitCode, plain(JSON.parse(missing.stdout).error.message)]).toMatchInlineSnapshot(`
    [
      2,
      "the key <dir>/NAME/nowhere.key cannot be read: ENOENT: no such file or directory, stat '<dir>/NAME/nowhere.key'",
    ]
  `);
});

test('another version sends what changed and the manifest; layers that are there are not compressed again', async () => {
  writeFileSync(join(rootDir, 'src/run.sh'), '#!/bin/sh\necho second\n');
  commitAll(rootDir, 'second');
  recordOf(await cli.run(['image', '--release', '1.0.1', '--json'], { cwd: rootDir }));
  proxy.reset();
  const record = recordOf(await push('1.0.1', ['--no-attest']));
  expect(record.layersSent).toBe(1);
  expect(record.bytesSent).toBeLessThan(10_000);
  // The manifest goes under digest and version; the claim of the version is some hundred bytes more.
  expect(bytesSent()).toBeLessThan(record.bytesSent + 3_000);
  expect((await readTag(name, '1.0.1')).digest).toBe(record.digest);
  const { tags } = (await (await fetch(`http://${registry.host}/v2/${name}/tags/list`)).json()) as { tags: string[] };
  expect(tags.filter((tag) => !tag.startsWith('sha256-')).sort()).toEqual(['1.0.0', '1.0.1', 'latest']);
});

test('a version that another image has is refused with what differs, and nothing moves', async () => {
  const other = openCli({ engine, toolchain: base });
  const clone = join(other.dir, 'clone');
  git('/', 'clone', '-q', rootDir, clone);
  writeFileSync(join(clone, 'src/run.sh'), '#!/bin/sh\necho evil\n');
  commitAll(clone, 'evil');
  await removeTag(engine, `${name}:1.0.1`);
  const before = await readTag(name, '1.0.1');
  const args = ['image', '--release', '1.0.1', '--push', '--registry', proxy.host];
  const { exitCode, stderr } = await other.run(args, { cwd: clone });
  other[Symbol.dispose]();
  expect([exitCode, plain(stderr.slice(stderr.indexOf('error:')))]).toMatchInlineSnapshot(`
    [
      2,
      "error: REGISTRY/NAME:1.0.1 is released already as ID (in REGISTRY), and this would be ID:
      gbuild layer: application: changed app/src/run.sh
      commit: ID, now ID
      try: release the change under a new version
      try: git log   # which commit was REGISTRY/NAME:1.0.1?
    ",
    ]
  `);
  expect(await readTag(name, '1.0.1')).toEqual(before);
});

test('two agents who release two images as one version at once: one does, the other is refused', async () => {
  const [one, two] = [openCli({ engine, toolchain: base }), openCli({ engine, toolchain: base })];
  try {
    for (let round = 0; round < 2; round += 1) {
      const version = `3.0.${round}`;
      const agents = await Promise.all(
        [one, two].map(async (agent, index) => {
          const dir = join(agent.dir, `round-${round}`);
          git('/', 'clone', '-q', rootDir, dir);
          writeFileSync(join(dir, 'src/run.sh'), `#!/bin/sh\necho agent ${index}\n`);
          commitAll(dir, `agent ${index}`);
          // On engines of their own they would not meet before the registry; here their names are told apart.
          const spec = readFileSync(join(dir, 'gbuild.yml'), 'utf8');
          writeFileSync(join(dir, 'gbuild.yml'), spec.replace(/^name: .*$/m, `name: ${name}-race-${index}`));
          commitAll(dir, 'renamed');
          return { agent, dir };
        }),
      );
      const release = ({ agent, dir }: (typeof agents)[number]) =>
        agent.run(['image', '--release', version, '--json'], { cwd: dir });
      const images = (await Promise.all(agents.map(release))).map((result) => recordOf<ImageRecord>(result));
      for (const [index, { agent }] of agents.entries())
        await renameRelease(agent.dataDir, `${name}-race-${index}`, `${name}-race`);
      const results = await Promise.all(
        agents.map(({ agent, dir }) =>
          agent.run(['push', `${name}-race:${version}`, '--registry', proxy.host], { cwd: dir }),
        ),
      );
      const winners = results.flatMap(({ exitCode }, index) => (exitCode === 0 ? [images[index]?.imageId] : []));
      expect(winners, results.map(({ stderr }) => stderr).join('\n')).toHaveLength(1);
      expect(results.map(({ exitCode }) => exitCode).sort()).toEqual([0, 2]);
      expect((await readTag(`${name}-race`, version)).config).toBe(winners[0]);
    }
  } finally {
    for (const index of [0, 1]) await removeRepository(engine, `${name}-race-${index}`);
    one[Symbol.dispose]();
    two[Symbol.dispose]();
  }
}, 240_000);

/** As if the store's releases had been made under another name. */
async function renameRelease(dataDir: string, from: string, to: string): Promise<void> {
  const rename = (name = '') => name.replace(`${from}:`, `${to}:`);
  await new Layout(join(dataDir, 'store')).updateIndex((manifests) =>
    manifests.map((each) => {
      const refName = rename(each.annotations?.[annotationKeys.refName]);
      return { ...each, annotations: { ...each.annotations, [annotationKeys.refName]: refName } };
    }),
  );
}

describe('bad input', () => {
  const errors = async (args: string[], options: CallOptions = {}) => {
    const { exitCode, stderr } = await cli.run(args, { cwd: rootDir, ...options });
    return `exit ${exitCode}\n${plain(stderr)}`;
  };

  test('is told in one sentence, with what to type', async () => {
    expect(await errors(['push', '1.0.1'])).toMatchInlineSnapshot(`
      "exit 2
      error: nothing says which registry to push to
        try: write "registry: registry.example.com" in gbuild.yml
        try: or add --registry registry.example.com
      "
    `);
    expect(await errors(['push', '9.9.9', '--registry', proxy.host])).toMatchInlineSnapshot(`
      "exit 2
      error: the release store <dir>/data/gbuild/store has no NAME:9.9.9; it has NAME:1.0.0, NAME:1.0.1
        try: gbuild image --release 9.9.9 --push
      "
    `);
    expect(await errors(['push', `localhost:1/${name}:1.0.1`, '--registry', proxy.host])).toMatchInlineSnapshot(`
      "exit 2
      error: localhost:1/NAME:1.0.1: a release of the store is named NAME:VERSION, without a registry
        try: gbuild push hello:1.0.1 --registry registry.example.com
      "
    `);
    expect(await errors(['push', '1.0.1', '--registry', 'http://registry.example.com'])).toMatchInlineSnapshot(`
      "exit 2
      error: "http://registry.example.com" is not a registry: expected HOST or HOST:PORT
        try: gbuild push --registry registry.example.com:5000 hello:1.0.1
      "
    `);
    expect(await errors(['image', '--push', '--registry', proxy.host])).toMatchInlineSnapshot(`
      "exit 2
      error: --push: only a release is pushed, for what others see must never move
        try: gbuild image --release 1.0.1 --push
      "
    `);
  });
});

test('independent tools read what was pushed', async () => {
  const dir = join(cli.dir, 'pulled');
  execFileSync('mkdir', [dir]);
  const { digest } = await readTag(name, '1.0.1');
  const manifest = (await (
    await fetch(`http://${registry.host}/v2/${name}/manifests/${digest}`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    })
  ).json()) as { layers: { digest: string; mediaType: string }[] };
  for (const layer of manifest.layers) {
    const bytes = Buffer.from(
      await (await fetch(`http://${registry.host}/v2/${name}/blobs/${layer.digest}`)).arrayBuffer(),
    );
    execFileSync('tar', ['-xzf', '-', '-C', dir], { input: bytes });
  }
  expect(readFileSync(join(dir, 'app/src/run.sh'), 'utf8')).toBe('#!/bin/sh\necho second\n');
});
