import type { Engine } from '../../../engine/engine.ts';
import { saveImage } from '../../../engine/transfer/save-image.ts';
import { GbuildError } from '../../../errors.ts';
import { ownerText } from '../../../fs/process-owner.ts';
import { withTempDir } from '../../../fs/temp-dir.ts';
import type { Host, Stop } from '../../../host.ts';
import type { Digest } from '../../../oci/digest.ts';
import { type BaseImage, extendImage, scratchImage } from '../../../oci/image/image.ts';
import { moveImage } from '../../../oci/layout/copy.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import type { Progress } from '../../../reporter/progress.ts';
import { nameImage, readStored, type StoredSet } from '../../store/store.ts';

export interface ReadBaseInput {
  store: Layout;
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
}

/** Base with every layer in the store. */
export interface KnownBase extends BaseImage {
  /** Id of the image on the engine. */
  engineId: Digest;
  /** Digest of the manifest in the store. */
  manifestDigest: Digest;
}

/** Name that the spec gives the empty base. */
export const nothing = 'scratch';

/**
 * Reads a base from the store. The first read copies it from the engine, with every layer checked against its diffID.
 */
export async function readBase(reference: string, input: ReadBaseInput): Promise<KnownBase> {
  const { store, engine, progress } = input;
  if (reference === nothing) return nothingFor((await engine.info()).platform);
  const image = await engine.inspectImage(reference);
  if (image === undefined) {
    throw new GbuildError('image-missing', `the base image ${reference} is not on ${engine.endpoint.url}`, {
      suggestions: ['gbuild lock', `docker pull ${reference}`],
      facts: { reference, endpoint: engine.endpoint.url },
    });
  }
  const known = await findBase(store, image.id as Digest);
  if (known !== undefined) return known;
  await progress.step(`copying the base ${reference} to the release store`, () =>
    importBase(image.id as Digest, input),
  );
  return (await findBase(store, image.id as Digest))!;
}

/** Returns the base for `base: scratch`: no layer, and a config with the platform only. */
export function nothingFor(platform: string): KnownBase {
  const [os = 'linux', architecture = 'amd64', variant] = platform.split('/');
  const base = scratchImage({ os, architecture, ...(variant !== undefined && { variant }) });
  const { id, manifestDigest } = extendImage(base, [], { created: '1980-01-01T00:00:00Z' });
  return { ...base, engineId: id, manifestDigest };
}

/**
 * Finds a base that was copied before, by its id on the engine. Undefined also where one of its blobs is missing or
 * truncated.
 */
export async function findBase(store: Layout, engineId: Digest): Promise<KnownBase | undefined> {
  const [stored] = (await findReadable(store, nameOfBase(engineId)))?.images ?? [];
  if (stored === undefined || !stored.manifest.layers.every(({ digest, size }) => store.hasBlob(digest, size)))
    return undefined;
  // The touch protects the base of a release in the making: see pruneReleases.
  await store.touchBlob(stored.descriptor.digest);
  const layers = stored.manifest.layers.map(({ digest, size }) => ({ diffId: digest, size }));
  return { engineId, manifestDigest: stored.descriptor.digest, config: stored.config, layers };
}

/** Finds a stored base. A damaged manifest or config is copied again with the rest. */
async function findReadable(store: Layout, name: string): Promise<StoredSet | undefined> {
  const descriptor = await store.findManifest(name);
  if (descriptor === undefined) return undefined;
  try {
    return { descriptor, images: await readStored(store, descriptor) };
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'store-failed') return undefined;
    throw thrown;
  }
}

async function importBase(engineId: Digest, { store, engine, host, stop }: ReadBaseInput): Promise<void> {
  await withTempDir(host, `${ownerText(engine.owner)}.${engineId.slice(7, 19)}`, async (tempDir) => {
    const image = await saveImage(engine, engineId, tempDir);
    stop.ask.throwIfAborted();
    await moveImage(store, image);
    await nameImage(store, image, nameOfBase(engineId), {});
  });
}

/** Names the base in the store by its id on an engine. */
export function nameOfBase(engineId: string): string {
  return `gbuild-base:${engineId.slice('sha256:'.length)}`;
}
