import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { type Descriptor, mediaTypes } from '../../../src/oci/spec.ts';
import { pullImage, readRemote } from '../../../src/registry/image/pull-image.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { imageOf, layerOf } from '../../support/images/made-image.ts';
import { openRig } from '../../support/registry/registry-rig.ts';
import { type SpecRegistry, startSpecRegistry } from '../../support/registry/spec-registry.ts';

const image = imageOf([layerOf('app', { 'etc/base': 'made\n'.repeat(1000) })]);
const dir = mkdtempSync(join(tmpdir(), 'gbuild-pull-'));
const rig = openRig();
let registry: SpecRegistry;
beforeAll(async () => {
  registry = await startSpecRegistry();
});
afterAll(async () => {
  rig[Symbol.dispose]();
  await registry[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

/** Pulls the image whose layers were put into the registry like this. */
async function pull(path: string, mediaType: string, compress: (tar: Buffer) => Buffer) {
  const repository = rig.repository({ registry: registry.host, path });
  const put = async (bytes: Buffer, type: string): Promise<Descriptor> => {
    const descriptor = { mediaType: type, digest: digestOf(bytes), size: bytes.length };
    await repository.writeBlob(descriptor, (offset) => [bytes.subarray(offset)]);
    return descriptor;
  };
  const layers: Descriptor[] = [];
  for (const { chunks } of image.layers) layers.push(await put(compress(Buffer.concat([...chunks()])), mediaType));
  const config = await put(image.configBytes, mediaTypes.config);
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers };
  await repository.writeManifest('1', Buffer.from(JSON.stringify(manifest)), mediaTypes.manifest);
  const remote = await readRemote(repository, '1');
  return pullImage(remote!, { tempDir: join(dir, path) });
}

/** Without what differs from run to run. */
const told = async (call: () => unknown) =>
  (await errorOf(call)).message.replaceAll(/[0-9a-f]{64}/g, 'HEX').replaceAll(registry.host, '<registry>');

/** As zstd:chunked does: a frame for each piece. */
const inFrames = (tar: Buffer) =>
  Buffer.concat([zstdCompressSync(tar.subarray(0, 700)), zstdCompressSync(tar.subarray(700))]);

test.each([
  ['tar', mediaTypes.layer, (tar: Buffer) => tar],
  ['gzip', mediaTypes.layerGzip, (tar: Buffer) => gzipSync(tar)],
  ['zstd', mediaTypes.layerZstd, inFrames],
  ['docker-zstd', 'application/vnd.docker.image.rootfs.diff.tar.zstd', inFrames],
])('layers as %s are unpacked to what the config says', async (path, mediaType, compress) => {
  const pulled = await pull(path, mediaType, compress);
  expect(pulled.id).toBe(image.id);
  const found = pulled.layers.map(({ chunks }) => digestOf(Buffer.concat([...chunks()])));
  expect(found).toEqual(image.layers.map(({ diffId }) => diffId));
});

test('a layer of another media type is named with it, and the image is not blamed for its digest', async () => {
  const type = 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted';
  expect(await told(() => pull('encrypted', type, (tar) => tar))).toMatchInlineSnapshot(
    `"<registry>/encrypted: the layer sha256:HEX has the media type application/vnd.oci.image.layer.v1.tar+gzip+encrypted, which gbuild cannot read; it reads tar, tar+gzip and tar+zstd"`,
  );
});

test('a layer that is not compressed as its media type says is named with it', async () => {
  expect(await told(() => pull('zstd-by-name', mediaTypes.layerZstd, gzipSync))).toMatchInlineSnapshot(
    `"<registry>/zstd-by-name: the layer sha256:HEX (application/vnd.oci.image.layer.v1.tar+zstd) cannot be unpacked: what should be zstd cannot be read: no frame of zstd begins where one should"`,
  );
  expect(await told(() => pull('gzip-by-name', mediaTypes.layerGzip, inFrames))).toMatchInlineSnapshot(
    `"<registry>/gzip-by-name: the layer sha256:HEX (application/vnd.oci.image.layer.v1.tar+gzip) cannot be unpacked: incorrect header check"`,
  );
});
