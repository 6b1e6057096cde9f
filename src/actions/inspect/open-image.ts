import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { diskError, GbuildError, messageOf } from '../../errors.ts';
import { ownerText, readOwner } from '../../fs/process-owner.ts';
import { withTempDir } from '../../fs/temp-dir.ts';
import type { ImageOrigin } from '../../inspect/report.ts';
import type { Digest } from '../../oci/digest.ts';
import { exactImage } from '../../oci/image/exact-image.ts';
import type { Image } from '../../oci/image/image.ts';
import { readArchive, type SavedImage } from '../../oci/image/read-archive.ts';
import { layerOfKnownFile } from '../../oci/layer/layer.ts';
import { findWholeLayers } from '../../oci/layout/copy.ts';
import { readSet } from '../../oci/layout/image-set.ts';
import type { Layout } from '../../oci/layout/layout.ts';
import { readIndexBlob } from '../../oci/layout/read-document.ts';
import { parseFilePlace, parseReference, type Reference } from '../../oci/reference.ts';
import type { Descriptor, Platform } from '../../oci/spec.ts';
import { pullImage, type RemoteImage, readRemote } from '../../registry/image/pull-image.ts';
import type { Registries } from '../../registry/registries.ts';
import { formatBytes } from '../../reporter/format.ts';
import { withRegistries } from '../session/open-registries.ts';
import { choosePlatform, pickManifest, readPlatform } from '../store/choose-platform.ts';
import { findRelease } from '../store/find-release.ts';
import { nameRelease } from '../store/release-name.ts';
import { openStore } from '../store/store.ts';
import { readLayoutImage } from './layout-image.ts';
import type { OpenImageRequest } from './open-image-request.ts';
import { abortable, abortableImage } from './read-layers.ts';

/** Image with all its layers by value, and the place where it was found. */
export interface OpenedImage {
  /** Reference as the caller gave it. */
  reference: string;
  origin: ImageOrigin;
  image: Image;
  /** Image as the registry has it: compressed, and with its attachments. */
  remote?: RemoteImage;
  /** Index that lists the image, where the name is an index's. */
  index?: Descriptor;
}

type Work<T> = (opened: OpenedImage) => Promise<T>;

/**
 * Runs work with an image by its name: `oci:DIR` or `oci:DIR:TAG`, `docker-archive:FILE`, `engine:NAME`, or
 * `HOST/NAME:TAG` in a registry. Any other name is a release of the store; a version alone means the caller's
 * repository. Where the store lacks it, the name is an image of the engine. Unpacked files are removed afterwards.
 * Throws `usage` with the places that were searched and with what they hold.
 */
export async function withImage<T>(name: string, request: OpenImageRequest, work: Work<T>): Promise<T> {
  const inFiles = parseFilePlace(name);
  const onEngine = /^engine:(.+)$/s.exec(name)?.[1];
  const platform = readPlatform(request);
  const heeding: Work<T> = ({ image, ...opened }) => work({ ...opened, image: abortableImage(image, request.stop) });
  return withTempDir(request.host, `${ownerText(readOwner())}.${randomBytes(6).toString('hex')}`, async (tempDir) => {
    const source = { name, request, platform, tempDir };
    if (inFiles?.kind === 'oci') return heeding(await openLayoutImage(inFiles.path, source));
    if (inFiles?.kind === 'docker-archive') return heeding(await openArchive(inFiles.path, source));
    if (onEngine !== undefined) return heeding(await openFromEngine(onEngine, source));
    const reference = parseReference(name);
    if (reference.registry === undefined)
      return heeding(await openByName({ ...source, name: await nameRelease(name, request) }));
    return withRegistries(request, async (registries) => heeding(await openRemote(reference, registries, source)));
  });
}

interface Source {
  name: string;
  request: OpenImageRequest;
  platform: Platform;
  tempDir: string;
}

async function openLayoutImage(place: string, { name, request, platform, tempDir }: Source): Promise<OpenedImage> {
  const { image, dir } = await readLayoutImage(place, request.host.cwd, { platform, tempDir });
  return { reference: name, origin: { kind: 'layout', place: dir }, image };
}

async function openArchive(place: string, { name, request, tempDir }: Source): Promise<OpenedImage> {
  const hostFile = resolve(request.host.cwd, place);
  try {
    // The file is opened first: a stream of a missing file would fail before anything listens.
    await using file = await open(hostFile);
    const saved = await readArchive(abortable(file.createReadStream(), request.stop), tempDir);
    return { reference: name, origin: { kind: 'archive', place: hostFile }, image: imageOfSaved(saved) };
  } catch (cause) {
    if (cause instanceof GbuildError || diskError(cause) !== undefined) throw cause;
    throw new GbuildError('usage', `the archive ${hostFile} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** The store comes first: its images are releases, and need no engine. */
async function openByName(source: Source): Promise<OpenedImage> {
  const { name, request } = source;
  const store = await openStore(request.host);
  const { repository, tag = '', digest: asked } = parseReference(name);
  const found = await findRelease({ name: repository, version: asked ?? tag, store });
  if (found === undefined) return openFromEngine(name, source);
  const { images } = await readSet(store, found.descriptor);
  const digest = images.length === 1 ? undefined : await pickStored(store, found.descriptor, source);
  const image = images.find(({ manifestDigest }) => manifestDigest === digest) ?? images[0]!;
  return { reference: name, origin: { kind: 'store', place: store.dir }, image };
}

async function pickStored(store: Layout, { digest }: Descriptor, { platform, name }: Source): Promise<Digest> {
  return pickManifest((await readIndexBlob(store, digest)).index, platform, name);
}

/** Loaded only when an engine is asked: most images come from other places. */
async function openFromEngine(place: string, { name, request, tempDir }: Source): Promise<OpenedImage> {
  const { saveFromEngine } = await import('./engine-image.ts');
  const { saved, url } = await saveFromEngine(place, request, tempDir);
  return { reference: name, origin: { kind: 'engine', place: url }, image: imageOfSaved(saved) };
}

/** readArchive has checked each layer against its diffID. */
function imageOfSaved(saved: SavedImage): Image {
  const layers = saved.config.rootfs.diff_ids.map((diffId, index) => {
    const hostFile = saved.layerFiles[index]!;
    return layerOfKnownFile(hostFile, { diffId, size: statSync(hostFile).size, createdBy: '' });
  });
  return exactImage(saved, layers);
}

async function openRemote(reference: Reference, registries: Registries, source: Source): Promise<OpenedImage> {
  const { name, request, platform, tempDir } = source;
  const repository = registries.repository({ registry: reference.registry!, path: reference.repository });
  const tag = reference.digest ?? reference.tag ?? 'latest';
  const { chosen, index } = (await choosePlatform(repository, tag, platform)) ?? {};
  const remote = chosen === undefined ? undefined : await readRemote(repository, chosen);
  if (remote === undefined) throw await notThere(name, repository);
  const store = await openStore(request.host);
  const known = await findWholeLayers(store, remote.config.rootfs.diff_ids);
  const image = await request.progress.step(`reading ${name}`, (step) =>
    pullImage(remote, {
      tempDir,
      find: (diffId) => known.get(diffId),
      onProgress: ({ layer, received, size }) =>
        step.update(`${layer}: ${formatBytes(received)} of ${formatBytes(size)}`),
    }),
  );
  return {
    reference: name,
    origin: { kind: 'registry', place: repository.registry },
    image,
    remote,
    ...(index && { index }),
  };
}

const mostShown = 5;

async function notThere(name: string, repository: RemoteImage['repository']): Promise<GbuildError> {
  const tags = (await repository.listTags().catch(() => [])).filter((tag) => !/^sha256-|\.claim-/.test(tag)).sort();
  const others = tags.slice(-mostShown).map((tag) => `${repository.name}:${tag}`);
  const hint = others.length === 0 ? '' : `; it has ${others.join(', ')}`;
  return new GbuildError('usage', `the registry ${repository.registry} has no ${name}${hint}`, {
    suggestions: others.slice(-1).map((other) => `gbuild inspect ${other}`),
    facts: { reference: name, registry: repository.registry, others },
  });
}
