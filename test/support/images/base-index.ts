import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extendImage, type Image, scratchImage } from '../../../src/oci/image/image.ts';
import { packLayer } from '../../../src/oci/layer/layer.ts';
import type { Descriptor, Platform } from '../../../src/oci/spec.ts';
import { CompressedLayers } from '../../../src/registry/image/compressed-layers.ts';
import { pushImage } from '../../../src/registry/image/push-image.ts';
import { askEngine } from '../engines/engine-http.ts';
import { openRig } from '../registry/registry-rig.ts';
import { anyProgram, isProgram } from './any-program.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';
const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** Makes a small image that an engine here could not have made: a file and its one Debian package name the platform. */
export function makeForeign(platform: Platform, text = '', programs = ['bin/sh', 'bin/true']): Image {
  const { architecture } = platform;
  const status = `Package: tiny\nStatus: install ok installed\nVersion: 1.0-1\nArchitecture: ${architecture}\n`;
  const files = {
    ...Object.fromEntries(programs.map((path) => [path, anyProgram])),
    'etc/machine': `${architecture} ${text}\n`,
    'var/lib/dpkg/status': status,
  };
  const entries = Object.entries(files).map(([path, content]) => {
    const bytes = Buffer.from(content);
    return { path, type: 'file' as const, executable: isProgram(content), content: { bytes, size: bytes.length } };
  });
  const layer = packLayer(entries, { createdBy: 'a foreign root' });
  return extendImage(scratchImage(platform), [layer], { created: '2024-01-02T03:04:05Z' });
}

/** Pushes an image to a registry with gbuild's client. Returns its descriptor there. */
export async function pushForeign(registry: string, path: string, image: Image, tag?: string): Promise<Descriptor> {
  using rig = openRig();
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-foreign-'));
  try {
    const repository = rig.repository({ registry, path });
    const { descriptor, manifestBytes } = await pushImage(repository, image, {
      layers: new CompressedLayers(join(dir, 'known'), dir),
      known: new Map(),
      mayHave: async () => true,
      signal: AbortSignal.timeout(60_000),
      onProgress: () => {},
    });
    if (tag !== undefined) await repository.writeManifest(tag, manifestBytes, descriptor.mediaType);
    return descriptor;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Pushes an image of the engine as `registry/path:tag`, like `docker push`. Returns its descriptor. */
export async function pushFromEngine(
  engine: string,
  image: string,
  { registry, path, tag }: { registry: string; path: string; tag: string },
): Promise<Descriptor> {
  const name = `${registry}/${path}`;
  await askEngine(engine, 'POST', `/images/${image}/tag?repo=${encodeURIComponent(name)}&tag=${tag}`);
  const headers = { 'X-Registry-Auth': Buffer.from('{}').toString('base64') };
  const { status, text } = await askEngine(engine, 'POST', `/images/${name}/push?tag=${tag}`, { headers });
  await askEngine(engine, 'DELETE', `/images/${name}:${tag}`);
  if (status !== 200 || text.includes('"error"')) throw new Error(`${engine} did not push ${name}: ${text}`);
  const accept = { headers: { accept: manifestTypes.join(', ') } };
  const answer = await fetch(`http://${registry}/v2/${path}/manifests/${tag}`, accept);
  const size = (await answer.arrayBuffer()).byteLength;
  const digest = answer.headers.get('docker-content-digest') as Descriptor['digest'];
  return { mediaType: answer.headers.get('content-type')!, digest, size };
}

/** Writes an index like other tools: in another order, and with entries that are no images. */
export async function putIndex(registry: string, path: string, tag: string, manifests: Descriptor[]): Promise<void> {
  const body = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: manifests.toReversed() }, null, 3);
  const headers = { 'content-type': indexType };
  const answer = await fetch(`http://${registry}/v2/${path}/manifests/${tag}`, { method: 'PUT', headers, body });
  if (answer.status !== 201) throw new Error(`no index ${path}:${tag}: ${answer.status} ${await answer.text()}`);
}
