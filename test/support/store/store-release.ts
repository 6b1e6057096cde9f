import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameOfBase } from '../../../src/actions/image/base/read-base.ts';
import { nameImage, nameSet } from '../../../src/actions/store/store.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { archiveChunks } from '../../../src/oci/image/archive.ts';
import { extendImage, type Image, scratchImage } from '../../../src/oci/image/image.ts';
import { packLayer } from '../../../src/oci/layer/layer.ts';
import { writeImage } from '../../../src/oci/layout/copy.ts';
import { gatherImages, writeSet } from '../../../src/oci/layout/image-set.ts';
import type { Layout } from '../../../src/oci/layout/layout.ts';
import type { SavedImage } from '../engines/fake-engine.ts';
import { file } from '../images/tree.ts';

const platform = { os: 'linux', architecture: 'amd64' };

/** Base with labels, one of which a release has too. */
export const base: Image = extendImage(
  scratchImage(platform),
  [packLayer([file('etc/base', 'base\n'.repeat(1000))], { createdBy: 'root' })],
  {
    created: '2023-01-01T00:00:00Z',
    labels: { 'org.opencontainers.image.title': 'base', 'io.gbuild.recipe': 'same', other: 'base' },
  },
);

/** Makes a release of `hello` on it, with gbuild's labels; `architecture` makes it one for another platform. */
export function makeRelease(version: string, { architecture = 'amd64', text = version } = {}): Image {
  const labels = {
    'org.opencontainers.image.title': 'hello',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.revision': '0123456789abcdef0123456789abcdef01234567',
    'io.gbuild.recipe': 'same',
    'org.opencontainers.image.base.name': 'gbuild/node:22-runtime',
    'org.opencontainers.image.base.digest': base.manifestDigest,
  };
  const layers = [packLayer([file('app/server.js', `console.log("${text}");\n`)], { createdBy: 'gbuild layer: app' })];
  const on = { ...base, config: { ...base.config, architecture }, layers: describe(base) };
  return extendImage(on, layers, {
    created: '2024-01-01T00:00:00Z',
    config: { Cmd: ['node'] },
    labels,
    annotations: labels,
  });
}

function describe({ layers }: Image) {
  return layers.map(({ diffId, size }) => ({ diffId, size }));
}

export async function keepBase(store: Layout): Promise<void> {
  await writeImage(store, base);
  await nameImage(store, base, nameOfBase(base.id), {});
}

/** Writes a release to the store; several images are its platforms. */
export async function keepRelease(store: Layout, name: string, ...images: Image[]): Promise<Digest> {
  const set = gatherImages(images);
  await writeSet(store, set);
  await nameSet(store, set, name, { 'org.opencontainers.image.version': name.slice(name.indexOf(':') + 1) });
  return set.descriptor.digest;
}

/** Returns what an engine would save of the image. */
export function saveAs(image: Image, ...tags: string[]): SavedImage {
  const layers = image.baseDiffIds.length === 0 ? image.layers : [...base.layers, ...image.layers];
  const archive = Buffer.concat([...archiveChunks(image, { layers, tags })]);
  return { id: image.id, tags, diffIds: image.config.rootfs.diff_ids, archive };
}

/** Ways of damaging a file. */
export const damages: Record<string, (path: string) => void> = {
  empty: (path) => writeFileSync(path, ''),
  half: (path) => writeFileSync(path, readFileSync(path).subarray(0, statSync(path).size >> 1)),
  'one bit flipped': (path) => {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
  },
  'other JSON': (path) => writeFileSync(path, '{}'),
  'a folder in its place': (path) => {
    rmSync(path);
    mkdirSync(join(path, 'below'), { recursive: true });
  },
};

/** Lists the files below a folder, by their paths below it. */
export function listFiles(dir: string): string[] {
  const items = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((item) => !item.isDirectory());
  return items.map((item) => join(item.parentPath, item.name).slice(dir.length + 1)).sort();
}
