import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLayoutImage } from '../../../src/actions/inspect/layout-image.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import type { Image } from '../../../src/oci/image/image.ts';
import { copySet, gatherImages } from '../../../src/oci/layout/image-set.ts';
import { type Layout, openLayout } from '../../../src/oci/layout/layout.ts';
import { type Descriptor, mediaTypes, type Platform } from '../../../src/oci/spec.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { imageOf, layerOf } from '../../support/images/made-image.ts';
import { makeFolder } from '../../support/images/tree.ts';

const [one, two] = ['1', '2'].map((text) => imageOf([layerOf('app', { a: text })])) as [Image, Image];
const amd64: Platform = { os: 'linux', architecture: 'amd64' };
let folder: Awaited<ReturnType<typeof makeFolder>>;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

const read = (place: string, platform = amd64) =>
  readLayoutImage(place, folder.path, { platform, tempDir: folder.path });

/** What is told, without what differs from run to run. */
const told = async (call: () => unknown) =>
  JSON.parse(
    JSON.stringify(await errorOf(call))
      .replaceAll(folder.path, '<dir>')
      .replaceAll(/[0-9a-f]{64}/g, 'HEX'),
  ) as unknown;
const failure = (place: string, platform?: Platform) => told(() => read(place, platform));

async function putBlob(layout: Layout, bytes: Buffer, mediaType: string): Promise<Descriptor> {
  const digest = digestOf(bytes);
  await layout.writeBlob(digest, bytes.length, [bytes]);
  return { mediaType, digest, size: bytes.length };
}

const putJson = (layout: Layout, value: object, mediaType: string) =>
  putBlob(layout, Buffer.from(JSON.stringify(value)), mediaType);

/** The image as other tools lay it down: compressed layers. */
async function putCompressed(
  layout: Layout,
  image: Image,
  [compress, mediaType]: [(tar: Buffer) => Buffer, string] = [gzipSync, mediaTypes.layerGzip],
): Promise<Descriptor> {
  const layers: Descriptor[] = [];
  for (const layer of image.layers)
    layers.push(await putBlob(layout, compress(Buffer.concat([...layer.chunks()])), mediaType));
  const config = await putBlob(layout, image.configBytes, mediaTypes.config);
  return putJson(layout, { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }, mediaTypes.manifest);
}

const contentOf = ({ layers }: Image) =>
  layers.map(({ diffId, chunks }) => [diffId, digestOf(Buffer.concat([...chunks()]))]);
const expected = (image: Image) => image.layers.map(({ diffId }) => [diffId, diffId]);

describe('an image of a layout', () => {
  it('is its only one, or the one of a name, whole or without the repository', async () => {
    await copySet(gatherImages([one]), folder.getPath('named'), 'hello:1.0.0');
    expect(contentOf((await read('named')).image)).toEqual(expected(one));
    await copySet(gatherImages([two]), folder.getPath('named'), 'hello:2.0.0');
    expect((await read('named:hello:2.0.0')).image.id).toBe(two.id);
    expect((await read('named:1.0.0')).image.id).toBe(one.id);
    expect(await failure('named')).toMatchInlineSnapshot(`
      {
        "code": "usage",
        "message": "the layout "<dir>/named" has 2 images; it has hello:1.0.0, hello:2.0.0",
        "suggestions": [
          "gbuild inspect oci:<dir>/named:hello:1.0.0",
        ],
      }
    `);
    expect(await failure('named:3')).toMatchInlineSnapshot(`
      {
        "code": "usage",
        "message": "the layout "<dir>/named" has no image 3; it has hello:1.0.0, hello:2.0.0",
        "suggestions": [
          "gbuild inspect oci:<dir>/named:hello:1.0.0",
        ],
      }
    `);
  });

  it('may lie in a folder with a colon', async () => {
    await copySet(gatherImages([one]), folder.getPath('a:b'), 'hello:1.0.0');
    expect((await read('a:b')).image.id).toBe(one.id);
  });

  it('may have compressed layers and be one of several platforms', async () => {
    const layout = await openLayout(folder.getPath('foreign'));
    const manifests = [
      { ...(await putCompressed(layout, one)), platform: amd64 },
      { ...(await putCompressed(layout, two)), platform: { os: 'linux', architecture: 'arm64' } },
      {
        ...(await putJson(layout, { proof: true }, mediaTypes.manifest)),
        platform: { os: 'unknown', architecture: 'unknown' },
      },
    ];
    await layout.putManifest(await putJson(layout, { schemaVersion: 2, manifests }, mediaTypes.index));
    expect(contentOf((await read('foreign')).image)).toEqual(expected(one));
    expect((await read('foreign', { os: 'linux', architecture: 'arm64' })).image.id).toBe(two.id);
    expect(await failure('foreign', { os: 'linux', architecture: 's390x' })).toMatchInlineSnapshot(`
      {
        "code": "usage",
        "message": "<dir>/foreign has no image for linux/s390x; it has linux/amd64, linux/arm64",
        "suggestions": [
          "--platform linux/amd64",
        ],
      }
    `);
  });
});

describe('a layout that is not whole', () => {
  it('is none: the folder is named, and nothing is made there', async () => {
    expect(await failure('nowhere')).toMatchInlineSnapshot(`
      {
        "code": "usage",
        "message": ""<dir>/nowhere" is not an OCI layout: it has no index.json",
        "suggestions": [],
      }
    `);
  });

  it('misses a layer: it is named', async () => {
    await copySet(gatherImages([one]), folder.getPath('short'), 'hello:1');
    rmSync(join(folder.getPath('short'), 'blobs/sha256', one.layers[0]!.diffId.slice(7)));
    expect(await failure('short')).toMatchInlineSnapshot(`
      {
        "code": "store-failed",
        "message": "the layer sha256:HEX is not in "<dir>/short"",
        "suggestions": [],
      }
    `);
  });

  it('has a damaged layer, plain or compressed: it is named', async () => {
    await copySet(gatherImages([one]), folder.getPath('damaged'), 'hello:1');
    const blob = (dir: string, digest: string) => join(folder.getPath(dir), 'blobs/sha256', digest.slice(7));
    writeFileSync(blob('damaged', one.layers[1]!.diffId), Buffer.alloc(one.layers[1]!.size));
    const { image } = await read('damaged');
    expect(await told(() => [...image.layers[1]!.chunks()])).toMatchInlineSnapshot(`
      {
        "code": "store-failed",
        "message": "the blob sha256:HEX in "<dir>/damaged" is damaged",
        "suggestions": [],
      }
    `);

    const layout = await openLayout(folder.getPath('packed'));
    const descriptor = await putCompressed(layout, one);
    await layout.putManifest(descriptor);
    const { layers } = JSON.parse((await layout.readBlob(descriptor.digest)).toString()) as { layers: Descriptor[] };
    writeFileSync(blob('packed', layers[0]!.digest), 'no gzip');
    expect(await failure('packed')).toMatchInlineSnapshot(`
      {
        "code": "store-failed",
        "message": "the blob sha256:HEX in "<dir>/packed" is damaged: incorrect header check",
        "suggestions": [],
      }
    `);
    writeFileSync(blob('packed', layers[0]!.digest), gzipSync('other bytes'));
    expect(await failure('packed')).toMatchInlineSnapshot(`
      {
        "code": "store-failed",
        "message": "the blob sha256:HEX in "<dir>/packed" is damaged: it unpacks to sha256:HEX, not to sha256:HEX",
        "suggestions": [],
      }
    `);
  });

  it('may have layers of zstd', async () => {
    const layout = await openLayout(folder.getPath('zstd'));
    await layout.putManifest(await putCompressed(layout, one, [zstdCompressSync, mediaTypes.layerZstd]));
    expect(contentOf((await read('zstd')).image)).toEqual(expected(one));
  });

  it('names files of the host where digests belong: they are not touched', async () => {
    const layout = await openLayout(folder.getPath('evil'));
    const evil = {
      ...one.config,
      rootfs: { type: 'layers', diff_ids: ['sha256:../../../evil', one.layers[1]!.diffId] },
    };
    const config = await putJson(layout, evil, mediaTypes.config);
    const layer = await putBlob(layout, gzipSync('x'), mediaTypes.layerGzip);
    await layout.putManifest(await putJson(layout, { config, layers: [layer, layer] }, mediaTypes.manifest));
    expect(await failure('evil')).toMatchInlineSnapshot(`
      {
        "code": "store-failed",
        "message": "oci:evil cannot be used: "sha256:../../../evil" in it is not a digest",
        "suggestions": [],
      }
    `);
  });

  it('has an index, a manifest or a config of another shape: it is said, and nothing is guessed', async () => {
    const layout = await openLayout(folder.getPath('shapeless'));
    const config = await putBlob(layout, one.configBytes, mediaTypes.config);
    const manifest = (layers: unknown) => putJson(layout, { schemaVersion: 2, config, layers }, mediaTypes.manifest);
    const named: Record<string, Descriptor> = {
      index: await putJson(layout, { manifests: [null] }, mediaTypes.index),
      other: await putJson(layout, { proof: true }, mediaTypes.manifest),
      layers: await manifest([{ digest: config.digest }]),
      count: await manifest([config]),
    };
    for (const [name, descriptor] of Object.entries(named))
      await layout.putManifest({ ...descriptor, annotations: { 'org.opencontainers.image.ref.name': name } });
    const messages = Object.keys(named).map(async (name) => {
      const { code, message } = (await failure(`shapeless:${name}`)) as { code: string; message: string };
      return `${code}: ${message}`;
    });
    expect(await Promise.all(messages)).toMatchInlineSnapshot(`
      [
        "store-failed: the blob sha256:HEX in "<dir>/shapeless" cannot be used: what it lists as number 1 is not a descriptor",
        "usage: oci:shapeless:other is no image (application/vnd.oci.image.manifest.v1+json)",
        "store-failed: oci:shapeless:layers cannot be used: its layer 1 is not a descriptor with a mediaType, a digest and a size",
        "store-failed: oci:shapeless:count cannot be used: it has 1 layers for 2 diffIDs",
      ]
    `);
  });
});
