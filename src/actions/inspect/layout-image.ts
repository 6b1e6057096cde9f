import { createReadStream, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { compressionOf, unpack } from '../../oci/compression/unpack.ts';
import { type Digest, hexOf, isDigest } from '../../oci/digest.ts';
import { exactImage } from '../../oci/image/exact-image.ts';
import type { Image } from '../../oci/image/image.ts';
import { parseJsonObject } from '../../oci/json.ts';
import { type Layer, layerOfKnownFile } from '../../oci/layer/layer.ts';
import { findLayer, readImage } from '../../oci/layout/copy.ts';
import { Layout } from '../../oci/layout/layout.ts';
import { type ImageDocuments, readImageDocuments, readIndexBlob } from '../../oci/layout/read-document.ts';
import { annotationKeys, type Descriptor, type Index, mediaTypes, type Platform } from '../../oci/spec.ts';
import { writeHashed } from '../../oci/stream/write-hashed.ts';
import { isIndex, pickManifest } from '../store/choose-platform.ts';

interface Options {
  /** Platform of the image in an index. */
  platform: Platform;
  /** Folder for unpacking layers that the layout holds compressed. */
  tempDir: string;
}

/**
 * Opens the image of `DIR`, or of `DIR:TAG` where the layout has several. Throws `usage` for a missing layout or image.
 */
export async function readLayoutImage(
  place: string,
  cwd: string,
  { platform, tempDir }: Options,
): Promise<{ image: Image; dir: string }> {
  const { dir, tag } = splitPlace(place, cwd);
  const layout = new Layout(dir);
  let descriptor = chooseNamed(await layout.readIndex(), tag, dir);
  for (let depth = 0; isIndex(descriptor) && depth < 3; depth += 1) {
    const { index } = await readIndexBlob(layout, descriptor.digest);
    const digest = pickManifest(index, platform, dir);
    descriptor = index.manifests.find((each) => each.digest === digest)!;
  }
  const { digest } = descriptor;
  if (!isManifest(await layout.readBlob(digest)))
    throw usage(`oci:${place} is no image (${descriptor.mediaType})`, { dir });
  const blame = (fault: string) => new GbuildError('store-failed', `oci:${place} cannot be used: ${fault}`);
  const documents = await readImageDocuments(layout, digest, () => blame);
  const isPlain = documents.manifest.layers.every(({ mediaType }) => mediaType === mediaTypes.layer);
  if (isPlain) return { image: await readImage(layout, digest), dir };
  return { image: await unpackImage(layout, documents, tempDir), dir };
}

/** Splits off the longest prefix that is a layout. The rest after its colon is the tag, with any further colons. */
function splitPlace(place: string, cwd: string): { dir: string; tag?: string } {
  for (let end = place.length; end > 0; end = place.lastIndexOf(':', end - 1)) {
    const dir = resolve(cwd, place.slice(0, end));
    const tag = place.slice(end + 1);
    if (existsSync(join(dir, 'index.json'))) return { dir, ...(tag !== '' && { tag }) };
  }
  throw usage(`${JSON.stringify(resolve(cwd, place))} is not an OCI layout: it has no index.json`, { place });
}

/** Chooses by the whole name or by its tag: `1.0.1` also finds `hello:1.0.1`. */
function chooseNamed({ manifests }: Index, tag: string | undefined, dir: string): Descriptor {
  const named = manifests.map((descriptor) => ({
    descriptor,
    name: descriptor.annotations?.[annotationKeys.refName] ?? '',
  }));
  const fits = tag === undefined ? named : named.filter(({ name }) => name === tag || name.endsWith(`:${tag}`));
  if (fits.length === 1) return fits[0]!.descriptor;
  const names = named.map(({ name }) => name).filter(Boolean);
  const has = names.length === 0 ? 'none with a name' : names.join(', ');
  const why = `has ${fits.length === 0 ? 'no' : fits.length} ${fits.length === 0 ? 'image' : 'images'}${tag === undefined ? '' : ` ${tag}`}`;
  throw usage(
    `the layout ${JSON.stringify(dir)} ${why}; it has ${has}`,
    { dir, names },
    names[0] && `oci:${dir}:${names[0]}`,
  );
}

/** Whether the bytes name a config by a digest that gbuild can check. */
function isManifest(bytes: Buffer): boolean {
  const { config } = (parseJsonObject(bytes) ?? {}) as { config?: { digest?: unknown } };
  return typeof config?.digest === 'string' && isDigest(config.digest);
}

async function unpackImage(layout: Layout, documents: ImageDocuments, tempDir: string): Promise<Image> {
  const { manifest, config } = documents;
  const layers: Layer[] = [];
  for (const [index, descriptor] of manifest.layers.entries()) {
    const diffId = config.rootfs.diff_ids[index]!;
    layers.push(findLayer(layout, diffId) ?? (await unpackLayer(layout, descriptor, diffId, tempDir)));
  }
  return exactImage(documents, layers);
}

async function unpackLayer(layout: Layout, packed: Descriptor, diffId: Digest, tempDir: string): Promise<Layer> {
  const where = JSON.stringify(layout.dir);
  if (!layout.hasBlob(packed.digest))
    throw new GbuildError('store-failed', `the layer ${packed.digest} is not in ${where}`);
  const compression = compressionOf(packed.mediaType);
  if (compression === undefined)
    throw usage(`the layer ${packed.digest} in ${where} is ${packed.mediaType}, which cannot be read`, {});
  const hostFile = join(tempDir, `${hexOf(diffId)}.tar`);
  const tar = unpack(compression, createReadStream(layout.blobFile(packed.digest)));
  const found = await writeHashed(tar, hostFile).catch((cause: unknown) => {
    throw damaged(packed.digest, where, messageOf(cause), cause);
  });
  if (found.digest !== diffId) throw damaged(packed.digest, where, `it unpacks to ${found.digest}, not to ${diffId}`);
  return layerOfKnownFile(hostFile, { diffId, size: found.size, createdBy: '' });
}

function damaged(digest: Digest, where: string, why: string, cause?: unknown): GbuildError {
  return new GbuildError('store-failed', `the blob ${digest} in ${where} is damaged: ${why}`, {
    cause,
    facts: { digest },
  });
}

function usage(message: string, facts: Record<string, unknown>, image?: string): GbuildError {
  return new GbuildError('usage', message, { ...(image && { suggestions: [`gbuild inspect ${image}`] }), facts });
}
