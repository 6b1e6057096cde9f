import { join } from 'node:path';
import type { EngineImage } from '../../engine/engine.ts';
import { GbuildError } from '../../errors.ts';
import { readCached, writeCached } from '../../fs/cached-file.ts';
import { isDigest } from '../../oci/digest.ts';
import { parseDockerManifest } from '../../oci/image/read-archive.ts';
import { readTar } from '../../oci/tar/untar.ts';
import type { ToolchainContext } from './toolchain-context.ts';

const format = 'image-id 1';

/**
 * Reads the digest of an image's config, its id in gbuild.lock for every engine. containerd's store uses the manifest's
 * digest as the id: there the config's digest is read from the saved image, once, and cached.
 */
export async function readImageId(
  context: Pick<ToolchainContext, 'engine' | 'host'>,
  { id }: Pick<EngineImage, 'id'>,
): Promise<string> {
  if (!(await context.engine.info()).containerdStore) return id;
  const file = join(context.host.cacheDir, 'image-ids', id.replace(/^sha256:/, ''));
  const kept = readCached(file, format);
  if (kept !== undefined) return kept;
  const configId = await readConfigId(context, id);
  writeCached(file, format, configId);
  return configId;
}

async function readConfigId({ engine }: Pick<ToolchainContext, 'engine'>, id: string): Promise<string> {
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
