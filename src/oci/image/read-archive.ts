import { createReadStream, existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { largestDocument, readWhole } from '../../fs/read-bounded.ts';
import { detectCompression, isUnpackFault, unpack } from '../compression/unpack.ts';
import { type Digest, hexOf } from '../digest.ts';
import type { ImageConfig } from '../spec.ts';
import { writeHashed } from '../stream/write-hashed.ts';
import { readTar } from '../tar/untar.ts';
import { parseConfigBytes } from './documents.ts';

/** Contents of a `docker save` archive, its layers as uncompressed tar files on disk. */
export interface SavedImage {
  config: ImageConfig;
  configBytes: Buffer;
  /** Files of the layers, lowest first, each checked against the config's diffID. */
  layerFiles: string[];
  tags: string[];
}

/**
 * Unpacks the archive of one image into the folder `dir`, as any engine generation saves it (a folder for each layer,
 * or an OCI layout; layers plain, gzipped or as zstd). Throws `store-failed` for an invalid or incomplete archive, and
 * for bytes that do not match its config.
 */
export async function readArchive(stream: AsyncIterable<Uint8Array>, dir: string): Promise<SavedImage> {
  const files = await unpackFiles(stream, dir);
  const { Config, Layers, RepoTags } = parseDockerManifest(readDocument(files, 'manifest.json'));
  const configBytes = readDocument(files, Config);
  const config = parseConfigBytes(configBytes, broken, Layers.length);
  const layerFiles: string[] = [];
  for (const [i, diffId] of config.rootfs.diff_ids.entries()) {
    layerFiles.push(await placeLayer(locate(files, Layers[i]!), join(dir, `${hexOf(diffId)}.tar`), diffId));
  }
  for (const { hostFile } of files.values()) await rm(hostFile, { force: true });
  return { config, configBytes, layerFiles, tags: RepoTags ?? [] };
}

/** File of the archive on disk, with the digest of its bytes. */
interface Unpacked {
  hostFile: string;
  digest: Digest;
}

/** Unpacks the files of the archive by path, with links resolved. */
async function unpackFiles(stream: AsyncIterable<Uint8Array>, dir: string): Promise<Map<string, Unpacked>> {
  const files = new Map<string, Unpacked>();
  const links = new Map<string, string>();
  await mkdir(dir, { recursive: true });
  for await (const { header, content } of readTar(stream, 'the saved image')) {
    if (header.type === 'file') {
      const hostFile = join(dir, `${files.size}.part`);
      files.set(header.path, { hostFile, digest: (await writeHashed(content, hostFile)).digest });
    } else if (header.type === 'symlink') {
      links.set(header.path, join(dirname(header.path), header.linkTarget ?? ''));
    } else if (header.type === 'hardlink') {
      links.set(header.path, header.linkTarget ?? '');
    }
  }
  for (const [path, target] of links) {
    const file = files.get(target);
    if (file !== undefined) files.set(path, file);
  }
  return files;
}

interface DockerManifest {
  Config: string;
  Layers: string[];
  RepoTags: string[] | null;
}

/** Parses the `manifest.json` of a saved image. Throws `store-failed`. */
export function parseDockerManifest(bytes: Buffer): DockerManifest {
  const images = parseJson(bytes, 'manifest.json');
  if (!Array.isArray(images)) throw broken('manifest.json is not a list of images');
  const [first] = images;
  if (images.length !== 1) throw broken(`it holds ${images.length} images, not one`);
  const { Config, Layers, RepoTags } = (first ?? {}) as Partial<DockerManifest>;
  if (typeof Config !== 'string' || !Array.isArray(Layers) || !Layers.every((each) => typeof each === 'string'))
    throw broken('manifest.json does not say what the image is made of');
  return { Config, Layers, RepoTags: Array.isArray(RepoTags) ? RepoTags : null };
}

function parseJson(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (cause) {
    throw broken(`${name} is not JSON (${messageOf(cause)})`);
  }
}

function readDocument(files: Map<string, Unpacked>, path: string): Buffer {
  const { hostFile } = locate(files, path);
  try {
    return readWhole(hostFile, largestDocument);
  } catch (cause) {
    throw broken(`${path} cannot be read: ${messageOf(cause)}`);
  }
}

function locate(files: Map<string, Unpacked>, path: string): Unpacked {
  const file = files.get(path);
  if (file === undefined) throw broken(`${JSON.stringify(path)} is not in it`);
  return file;
}

/** Moves a layer to the file of its name. Two equal layers are one file. */
async function placeLayer(layer: Unpacked, to: string, diffId: Digest): Promise<string> {
  if (existsSync(to)) return to;
  if (layer.digest === diffId) {
    await rename(layer.hostFile, to);
    return to;
  }
  const compression = detectCompression(await readStart(layer.hostFile));
  if (compression === 'none') throw broken(`the layer ${diffId} in it hashes to ${layer.digest}`);
  const tar = unpack(compression, createReadStream(layer.hostFile));
  const { digest: found } = await writeHashed(tar, `${to}.part`).catch((thrown: unknown) => {
    if (isUnpackFault(thrown)) throw broken(`the layer ${diffId} in it cannot be unpacked (${messageOf(thrown)})`);
    throw thrown;
  });
  if (found !== diffId) throw broken(`the layer ${diffId} in it hashes to ${found}`);
  await rename(`${to}.part`, to);
  return to;
}

/** Reads the first four bytes, or fewer. */
async function readStart(file: string): Promise<Buffer> {
  for await (const chunk of createReadStream(file, { end: 3 })) return chunk as Buffer;
  return Buffer.alloc(0);
}

function broken(why: string): GbuildError {
  return new GbuildError('store-failed', `the saved image cannot be used: ${why}`);
}
