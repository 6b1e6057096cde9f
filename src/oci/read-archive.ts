import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { GbuildError, messageOf } from '../errors.ts';
import { type Digest, hexOf } from './digest.ts';
import type { ImageConfig } from './spec.ts';
import { readTar } from './untar.ts';

/** What a `docker save` archive holds, its layers as uncompressed tar files on disk. */
export interface SavedImage {
  config: ImageConfig;
  configBytes: Buffer;
  /** Lowest first, each checked against the config's diffID. */
  layerFiles: string[];
  tags: string[];
}

/**
 * Unpacks the archive of one image, as any engine generation saves it (a folder a layer, or an OCI layout; layers plain or
 * gzipped), into the folder `dir`. Throws `store-failed` for an archive that is none, is not whole or holds other bytes than
 * its config says.
 */
export async function readArchive(stream: AsyncIterable<Uint8Array>, dir: string): Promise<SavedImage> {
  const files = await unpackFiles(stream, dir);
  const { Config, Layers, RepoTags } = parseDockerManifest(await readFile(locate(files, 'manifest.json')));
  const configBytes = await readFile(locate(files, Config));
  const config = parseJson<ImageConfig>(configBytes, Config);
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== Layers.length) throw broken(`it has ${Layers.length} layers for ${diffIds.length} diffIDs`);
  const layerFiles: string[] = [];
  for (const [i, diffId] of diffIds.entries()) {
    layerFiles.push(await inflateLayer(locate(files, Layers[i]!), join(dir, `${hexOf(diffId)}.tar`), diffId));
  }
  for (const file of files.values()) await rm(file, { force: true });
  return { config, configBytes, layerFiles, tags: RepoTags ?? [] };
}

/** Files of the archive by path, links resolved to what they name. */
async function unpackFiles(stream: AsyncIterable<Uint8Array>, dir: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const links = new Map<string, string>();
  await mkdir(dir, { recursive: true });
  for await (const { header, content } of readTar(stream, 'the saved image')) {
    if (header.type === 'file') {
      const file = join(dir, `${files.size}.part`);
      await pipeline(content, createWriteStream(file));
      files.set(header.path, file);
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

function parseDockerManifest(bytes: Buffer): DockerManifest {
  const [first, ...others] = parseJson<DockerManifest[]>(bytes, 'manifest.json');
  if (first === undefined || others.length > 0)
    throw broken(`it holds ${others.length + (first ? 1 : 0)} images, not one`);
  return first;
}

function parseJson<T>(bytes: Buffer, name: string): T {
  try {
    return JSON.parse(bytes.toString()) as T;
  } catch (cause) {
    throw broken(`${name} is no JSON (${messageOf(cause)})`);
  }
}

function locate(files: Map<string, string>, path: string): string {
  const file = files.get(path);
  if (file === undefined) throw broken(`${JSON.stringify(path)} is not in it`);
  return file;
}

async function inflateLayer(from: string, to: string, diffId: Digest): Promise<string> {
  const temporary = `${to}.part`;
  const hash = createHash('sha256');
  const tap = new Transform({
    transform(chunk, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const source: Readable = createReadStream(from, { highWaterMark: 1 << 20 });
  const write = createWriteStream(temporary);
  if (await isGzip(from)) await pipeline(source, createGunzip(), tap, write);
  else await pipeline(source, tap, write);
  const found = `sha256:${hash.digest('hex')}`;
  if (found !== diffId) throw broken(`the layer ${diffId} in it hashes to ${found}`);
  await rename(temporary, to);
  return to;
}

async function isGzip(file: string): Promise<boolean> {
  for await (const chunk of createReadStream(file, { end: 1 })) return chunk[0] === 0x1f && chunk[1] === 0x8b;
  return false;
}

function broken(why: string): GbuildError {
  return new GbuildError('store-failed', `the saved image cannot be used: ${why}`);
}
