import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineImage } from '../engine/engine.ts';
import { GbuildError } from '../errors.ts';
import { isDigest } from '../oci/digest.ts';
import { parseDockerManifest } from '../oci/read-archive.ts';
import { readTar } from '../oci/untar.ts';
import type { Rim } from './rim.ts';

/**
 * The digest of an image's config: what gbuild.lock calls an image by, on every engine alike. containerd's store calls it by
 * the manifest it came with; there it is read out of the saved image, once, and kept in the cache.
 */
export async function readImageId(rim: Pick<Rim, 'engine' | 'host'>, { id }: Pick<EngineImage, 'id'>): Promise<string> {
  if (!(await rim.engine.info()).containerdStore) return id;
  const dir = join(rim.host.cacheDir, 'image-ids');
  const file = join(dir, id.replace(/^sha256:/, ''));
  const kept = readKept(file);
  if (kept !== undefined) return kept;
  const configId = await readConfigId(rim, id);
  mkdirSync(dir, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, configId);
  renameSync(`${file}.${process.pid}`, file);
  return configId;
}

function readKept(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return isDigest(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

async function readConfigId({ engine }: Pick<Rim, 'engine'>, id: string): Promise<string> {
  for await (const { header, content } of readTar(await engine.saveImage(id), `the saved image ${id}`)) {
    if (header.path !== 'manifest.json') continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    const { Config } = parseDockerManifest(Buffer.concat(chunks));
    const digest = `sha256:${/([0-9a-f]{64})(?:\.json)?$/.exec(Config)?.[1]}`;
    if (isDigest(digest)) return digest;
  }
  throw new GbuildError(
    'engine-failed',
    `${engine.endpoint.url} saved ${id} without a manifest.json that names its config`,
    {
      suggestions: ['gbuild doctor'],
      facts: { endpoint: engine.endpoint.url, id },
    },
  );
}
