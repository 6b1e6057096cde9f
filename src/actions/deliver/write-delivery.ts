import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type SizedStream, tarChunks, zipBytes } from '../../deliver/bundle.ts';
import type { Bundle, DeliveryFile, TextFile } from '../../deliver/files.ts';
import { readPieces } from '../../fs/read-bounded.ts';
import { chooseDeflate } from '../../oci/compression/deflate.ts';
import { gzip } from '../../oci/compression/gzip.ts';
import { hexOf } from '../../oci/digest.ts';
import { archiveChunks, sizeOfArchive } from '../../oci/image/archive.ts';
import type { Image } from '../../oci/image/image.ts';
import { writeDockerArchive } from '../../oci/layout/copy.ts';
import { copySet, gatherImages } from '../../oci/layout/image-set.ts';
import { writeHashed } from '../../oci/stream/write-hashed.ts';

/** File of a delivery that was written. */
export interface WrittenFile {
  /** Path below the delivery's folder, with `/`. */
  path: string;
  /** Size in bytes. */
  size: number;
  sha256: string;
}

/** Writes the delivery below an empty folder. Returns its files, sorted by path; a layout has many. */
export async function writeDelivery(
  files: readonly DeliveryFile[],
  dir: string,
  readWhole: () => Promise<Image>,
): Promise<WrittenFile[]> {
  const known = new Map<string, WrittenFile>();
  for (const file of files) {
    const hostFile = join(dir, file.path);
    mkdirSync(dirname(hostFile), { recursive: true });
    const written = await writeOne(file, hostFile, readWhole);
    if (written !== undefined) known.set(file.path, { path: file.path, ...written });
  }
  return listFiles(dir, '').map((path) => known.get(path) ?? describeFile(dir, path));
}

/** Returns size and sha256 where they were found while writing. */
async function writeOne(
  file: DeliveryFile,
  hostFile: string,
  readWhole: () => Promise<Image>,
): Promise<Omit<WrittenFile, 'path'> | undefined> {
  if (file.kind === 'text') {
    await writeFile(hostFile, file.text);
    // The umask has no say in what a deployer gets.
    await chmod(hostFile, file.isExecutable === true ? 0o755 : 0o644);
  } else if (file.kind === 'docker-archive') await writeDockerArchive(await readWhole(), hostFile, file.tags);
  else if (file.kind === 'oci-layout') await copySet(gatherImages([await readWhole()]), hostFile, file.refName);
  else if (file.kind === 'zip') await writeFile(hostFile, await zipBytes(file.entries.filter(isText)));
  else {
    const tar = tarChunks(await openEntries(file, readWhole));
    const { digest, size } = await writeHashed(gzip(tar, await chooseDeflate()), hostFile);
    return { size, sha256: hexOf(digest) };
  }
  return undefined;
}

function isText(entry: Bundle['entries'][number]): entry is TextFile {
  return entry.kind === 'text';
}

/** Turns archives of the image into streams: nothing of them is written to disk before the bundle. */
async function openEntries({ entries }: Bundle, readWhole: () => Promise<Image>): Promise<(TextFile | SizedStream)[]> {
  const opened: (TextFile | SizedStream)[] = [];
  for (const entry of entries) {
    if (entry.kind === 'text') {
      opened.push(entry);
      continue;
    }
    const image = await readWhole();
    const options = { layers: image.layers, tags: entry.tags };
    const size = sizeOfArchive(image, options);
    opened.push({ kind: 'stream', path: entry.path, size, chunks: () => archiveChunks(image, options) });
  }
  return opened;
}

function listFiles(dir: string, below: string): string[] {
  const names = readdirSync(join(dir, below), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return names.flatMap((entry) => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    return entry.isDirectory() ? listFiles(dir, path) : [path];
  });
}

function describeFile(dir: string, path: string): WrittenFile {
  const hash = createHash('sha256');
  for (const piece of readPieces(join(dir, path))) hash.update(piece);
  return { path, size: statSync(join(dir, path)).size, sha256: hash.digest('hex') };
}
