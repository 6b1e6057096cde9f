import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { PushRecord } from '../../../src/actions/release/push/push.ts';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { formatDocuments, signAttachments } from '../../../src/attest/attachments.ts';
import { generateKeyPair } from '../../../src/attest/signature/cosign-key.ts';
import { readPrivateKey } from '../../../src/attest/signature/key.ts';
import { formatProvenance } from '../../../src/attest/signature/provenance.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/spec.ts';
import type { Repository } from '../../../src/registry/repository.ts';
import { type CallOptions, commitAll, openCli } from '../../support/cli/cli.ts';
import { importImage, removeRepository } from '../../support/engines/engine-images.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { openRig } from '../../support/registry/registry-rig.ts';

const engine = inject('engineHost');
const name = `e2e-inspect-${process.pid}`;
const base = `${name}-base:1`;
const cli = openCli({ engine, toolchain: base, ownCache: true });
const offline = { DOCKER_HOST: 'unix:///nowhere.sock' };
const layout = join(cli.dir, 'layout');
let registry: TestRegistry;
let rootDir: string;
let released: ImageRecord;

const pad = (version: string) => JSON.stringify({ name: 'pad', version, license: 'MIT' });

beforeAll(async () => {
  await importImage(engine, base, { here: 'a base' });
  registry = await startRegistry();
  const layers = '[{name: packages, from: [node_modules]}, {name: application, from: [src]}]';
  const image = `image:\n  layers: ${layers}\n  entrypoint: [/app/src/run.sh]\n  env: {COLOUR: red}\n`;
  rootDir = cli.tasks(name, image, {
    'src/run.sh': '#!/bin/sh\necho first\n',
    'src/<script>alert(1)<\u2215script>.js': 'hostile',
    'src/\x1b[31mred': 'hostile',
    'node_modules/pad/package.json': pad('1.0.0'),
  });
  expect((await cli.run(['lock'], { cwd: rootDir })).exitCode).toBe(0);
  commitAll(rootDir, 'locked');
  released = await release('1.0.0', '--output', `oci:${layout}`, '--output', `docker-archive:${cli.dir}/image.tar`);
  writeFileSync(join(rootDir, 'src/run.sh'), '#!/bin/sh\necho the second\n');
  writeFileSync(join(rootDir, 'node_modules/pad/package.json'), pad('1.1.0'));
  commitAll(rootDir, 'second');
  await release('1.1.0');
});
afterAll(async () => {
  for (const repository of [name, `${name}-base`]) await removeRepository(engine, repository);
  await registry[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

const answer = async <T>(args: string[], options: CallOptions = {}): Promise<T> => {
  const { exitCode, stdout, stderr } = await cli.run([...args, '--json'], { cwd: rootDir, ...options });
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as T;
};
const release = (version: string, ...flags: string[]) => answer<ImageRecord>(['image', '--release', version, ...flags]);
const push = (version: string) => answer<PushRecord>(['push', version, '--registry', registry.host, '--no-attest']);

const plain = (text: string) =>
  cli
    .plain(text)
    .replaceAll(name, 'NAME')
    .replaceAll(registry.host, 'REGISTRY')
    .replaceAll(/\b[0-9a-f]{40,64}\b/g, 'HEX')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID');

const say = async (args: string[], options: CallOptions = {}) => {
  const { exitCode, stdout, stderr } = await cli.run(args, { cwd: rootDir, ...options });
  return `exit ${exitCode}\n${plain(stderr)}${plain(stdout)}`;
};

/** What is left of the folders that images are unpacked into. */
const tempDirs = () => (existsSync(join(cli.cacheDir, 'spool')) ? readdirSync(join(cli.cacheDir, 'spool')) : []);

async function putBlob(repository: Repository, bytes: Buffer) {
  const descriptor = { digest: digestOf(bytes), size: bytes.length };
  await repository.writeBlob(descriptor, () => [bytes]);
  return descriptor;
}

describe('gbuild inspect', () => {
  test('shows a release of the store, without an engine', async () => {
    expect(
      await say(['inspect', `${name}:1.0.0`, '--packages'], { cwd: cli.dir, env: offline }),
    ).toMatchInlineSnapshot(`
      "exit 0
      name     NAME:1.0.0
      from     the release store <dir>/data/gbuild/store
      id       sha256:HEX
      manifest sha256:HEX
      platform linux/amd64
      created  2024-05-06T07:08:09Z
      version  1.0.0
      commit   HEX
      built in NAME-base@1
      base     NAME-base:1 (ID)
      starts   /app/src/run.sh
      user     65532:65532
      folder   /app
      env      COLOUR=red
      label    io.gbuild.lock=sha256:HEX
               io.gbuild.recipe=sha256:HEX
               org.opencontainers.image.title=NAME

      layer    size  files  name
      1      3.6 kB      2  base: ID
      2      3.6 kB      1  packages
      3      7.2 kB      3  application
              14 kB      6  together

      largest files
      size  layer  path
      64 B  1      bin/sh
      48 B  2      app/node_modules/pad/package.json
      21 B  3      app/src/run.sh
       7 B  3      app/src/\\x1b[31mred
       7 B  3      app/src/<script>alert(1)<∕script>.js
       6 B  1      here

      packages 1
      npm 1: MIT 1

      type  package  version  licence
      npm   pad      1.0.0    MIT
      "
    `);
  });

  test('shows the same image wherever it lies, and leaves nothing behind', async () => {
    await push('1.0.0');
    const places = [
      '1.0.0',
      `oci:${layout}`,
      `oci:${layout}:1.0.0`,
      `docker-archive:${cli.dir}/image.tar`,
      `engine:${name}:1.0.0`,
      `${registry.host}/${name}:1.0.0`,
    ];
    const found = await Promise.all(
      places.map((place) => answer<{ imageId: string; layers: object[] }>(['inspect', place])),
    );
    expect(found.map(({ imageId, layers }) => [imageId, layers.length])).toEqual(
      places.map(() => [released.imageId, 3]),
    );
    expect(tempDirs()).toEqual([]);
  });

  test('takes the image of a platform out of an index', async () => {
    const { digest } = await push('1.0.0');
    using rig = openRig();
    const repository = rig.repository({ registry: registry.host, path: name });
    const { descriptor } = (await repository.readManifest(digest))!;
    const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
    const manifests = platforms.map((platform) => ({ ...descriptor, platform }));
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
    await repository.writeManifest('several', index, mediaTypes.index);
    const several = `${repository.name}:several`;
    expect(await answer(['inspect', several, '--platform', 'linux/arm64'])).toMatchObject({
      imageId: released.imageId,
    });
    expect(await say(['inspect', several, '--platform', 'linux/s390x'])).toMatchInlineSnapshot(`
      "exit 2
      error: REGISTRY/NAME:several has no image for linux/s390x; it has linux/amd64, linux/arm64
        try: --platform linux/amd64
      "
    `);
  });

  test('lists every file with --files, what a terminal would obey spelled out', async () => {
    const { stdout } = await cli.run(['inspect', `${name}:1.0.0`, '--files'], { env: offline });
    expect(stdout).toContain('-rw-r--r--  0:0   7  app/src/\\x1b[31mred\n');
    expect(stdout).not.toContain('\x1b');
  });

  test('tells what stands beside an image in a registry', async () => {
    const { digest } = await push('1.0.0');
    using rig = openRig();
    const repository = rig.repository({ registry: registry.host, path: name });
    const { descriptor } = (await repository.readManifest(digest))!;
    const provenance = formatProvenance({
      subject: { name: repository.name, digest },
      asked: { version: '1.0.0', toolchain: 'node@22', tasks: [], platform: 'linux/amd64' },
      resolved: { toolchain: { name: 'node', version: '22.1.0', recipe: digest }, created: '2024-05-06T07:08:09Z' },
      source: { commit: 'c'.repeat(40), url: 'https://git.example.com/hello\x1b[0m', dirty: false },
      buildImage: { reference: base, digest, digestOf: 'config' },
      base: { reference: base, digest, digestOf: 'config' },
      toolVersion: '0.1.0',
    });
    const about = { subject: descriptor, name: repository.name, created: '2024-05-06T07:08:09Z' };
    const documents = { provenance, spdx: Buffer.from('{}') };
    const key = readPrivateKey(generateKeyPair('').privatePem, { label: 'key' });
    const [signature] = signAttachments({ ...about, documents }, key);
    for (const artifact of [...formatDocuments({ ...about, documents }), signature!]) {
      for (const { bytes } of artifact.blobs) await putBlob(repository, bytes);
      await repository.writeReferrer(artifact.manifestBytes, mediaTypes.manifest);
    }
    const text = await say(['inspect', `${registry.host}/${name}@${digest}`], { env: offline });
    expect(text.slice(text.indexOf('attached in'))).toMatchInlineSnapshot(`
      "attached in the registry, not verified
      ID  SBOM (SPDX)
      ID  provenance
        builder: https://gbuild.io/local
        build type: https://gbuild.io/provenance/image/v1
        version: 1.0.0
        toolchain: node@22
        source: git+https://git.example.com/hello\\x1b[0m@HEX
        commit: HEX
      ID  signature
      "
    `);
    const page = join(cli.dir, 'shared.html');
    await answer(['inspect', `${registry.host}/${name}:1.0.0`, '--html', page]);
    expect(readFileSync(page, 'utf8')).toContain('git+https://git.example.com/hello\\x1b[0m');
  });

  test('writes a page of the same bytes each time, never over something else', async () => {
    const page = join(cli.dir, 'pages/hello.html');
    await answer(['inspect', `${name}:1.0.0`, '--html', page], { env: offline });
    const first = readFileSync(page, 'utf8');
    await answer(['inspect', '1.0.0', '--html', page], { env: offline });
    const text = readFileSync(page, 'utf8');
    expect(text).toBe(first);
    expect(text).toContain('app/src/&lt;script&gt;alert(1)&lt;');
    expect(text).not.toContain('<script>alert');
    writeFileSync(join(cli.dir, 'notes.html'), 'my notes');
    expect(await say(['inspect', '1.0.0', '--html', '../notes.html'], { env: offline })).toMatchInlineSnapshot(`
      "exit 2
      error: "<dir>/notes.html" is not a page of gbuild inspect; nothing was written
        try: name a file that does not exist yet
      "
    `);
    expect(readFileSync(join(cli.dir, 'notes.html'), 'utf8')).toBe('my notes');
  });
});

describe('gbuild diff', () => {
  test('shows what differs between two releases, with exit code 1', async () => {
    expect(await say(['diff', '1.0.0', '1.1.0'], { env: offline })).toMatchInlineSnapshot(`
      "exit 1
      - NAME:1.0.0 (ID)
      + NAME:1.1.0 (ID)

      config
      ~ commit: HEX, now HEX
      ~ label org.opencontainers.image.version: 1.0.0, now 1.1.0

      layers
      = ID: 3.6 kB
      ~ packages: 3.6 kB, now 3.6 kB
      ~ application: 7.2 kB, now 7.2 kB

      files: 0 added, 0 removed, 2 changed
      ~ app/node_modules/pad/package.json: 48 B of other content
      ~ app/src/run.sh: 21 B, now 26 B

      packages
      ~ npm pad 1.0.0, now 1.1.0
      "
    `);
    const json = await cli.run(['diff', `${name}:1.0.0`, `${name}:1.1.0`, '--json'], { env: offline });
    expect([json.exitCode, JSON.parse(json.stdout)]).toMatchObject([
      1,
      { isSame: false, packages: [{ name: 'pad', before: ['1.0.0'], after: ['1.1.0'] }] },
    ]);
  });

  test('of the same image here and in a registry ends with 0', async () => {
    await push('1.0.0');
    expect(await say(['diff', '1.0.0', `${registry.host}/${name}:1.0.0`, '--quiet'], { env: offline })).toBe(
      'exit 0\nNAME:1.0.0 and REGISTRY/NAME:1.0.0 are the same image (ID)\n',
    );
  });
});

describe('what cannot be read is told in one sentence', () => {
  test('a name that is nowhere', async () => {
    expect(await say(['inspect', `${name}:9.9.9`], { env: offline })).toMatchInlineSnapshot(`
      "exit 2
      error: there is no image NAME:9.9.9: the release store <dir>/data/gbuild/store has NAME:1.0.0, NAME:1.1.0, and no engine could be asked (cannot reach the container engine at unix:///nowhere.sock (from DOCKER_HOST): there is no such socket)
        try: gbuild inspect NAME:1.1.0
        try: gbuild inspect registry.example.com/NAME:9.9.9
      "
    `);
    expect(await say(['inspect', `engine:${name}:9.9.9`, '-H', engine])).toContain('has none\n');
    await push('1.1.0');
    expect(await say(['diff', '1.1.0', `${registry.host}/${name}:9.9.9`], { env: offline })).toMatchInlineSnapshot(`
      "exit 2
      error: the registry REGISTRY has no REGISTRY/NAME:9.9.9; it has REGISTRY/NAME:1.0.0, REGISTRY/NAME:1.1.0, REGISTRY/NAME:several
        try: gbuild inspect REGISTRY/NAME:several
      "
    `);
    expect(await say(['inspect', 'docker-archive:none.tar'], { env: offline })).toMatchInlineSnapshot(`
      "exit 2
      error: the archive <dir>/NAME/none.tar cannot be read: ENOENT: no such file or directory, open '<dir>/NAME/none.tar'
      "
    `);
    expect(await say(['inspect', '1.0.0', '--platform', 'amd64'], { env: offline })).toMatchInlineSnapshot(`
      "exit 2
      error: --platform amd64: expected OS/ARCHITECTURE
        try: --platform linux/arm64
      "
    `);
  });

  test('a damaged layer, and one that is gone', async () => {
    const copy = join(cli.dir, 'copy');
    cpSync(layout, copy, { recursive: true });
    const { layers } = await answer<{ layers: { diffId: string; size: number }[] }>(['inspect', `oci:${copy}`]);
    const { diffId, size } = layers.at(-1)!;
    const blob = join(copy, 'blobs/sha256', diffId.slice(7));
    writeFileSync(blob, Buffer.alloc(size, 'x'));
    expect(await say(['inspect', `oci:${copy}`], { env: offline })).toMatchInlineSnapshot(`
      "exit 3
      error: the blob sha256:HEX in "<dir>/copy" is damaged
      "
    `);
    rmSync(blob);
    expect(await say(['diff', '1.0.0', `oci:${copy}`], { env: offline })).toMatchInlineSnapshot(`
      "exit 3
      error: the layer sha256:HEX is not in "<dir>/copy"
      "
    `);
  });

  test('an image of a registry that names files of this machine', async () => {
    using rig = openRig();
    const repository = rig.repository({ registry: registry.host, path: `${name}-evil` });
    const layer = { mediaType: mediaTypes.layer, ...(await putBlob(repository, Buffer.alloc(1024))) };
    const config = {
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: ['sha256:../../../evil'] },
    };
    const blob = await putBlob(repository, Buffer.from(JSON.stringify(config)));
    const manifest = { schemaVersion: 2, config: { mediaType: mediaTypes.config, ...blob }, layers: [layer] };
    await repository.writeManifest('1', Buffer.from(JSON.stringify(manifest)), mediaTypes.manifest);
    expect(await say(['inspect', `${repository.name}:1`], { env: offline })).toMatchInlineSnapshot(`
      "exit 3
      error: REGISTRY/NAME-evil@sha256:HEX cannot be used: "sha256:../../../evil" in it is not a digest
      "
    `);
    expect(tempDirs()).toEqual([]);
  });
});
