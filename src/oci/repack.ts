import { createHash } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { compareBytes, parentOf } from './arrange.ts';
import { type Layer, layerOfKnownFile } from './layer.ts';
import { type TarHeader, type TarItem, writeTar } from './tar.ts';
import { readTar } from './untar.ts';

export interface RepackOptions {
  /** Seconds; given to every entry. */
  mtime: number;
  /** A path (relative, no trailing '/') to leave out, with everything below it. */
  exclude: (path: string) => boolean;
  /** Small files whose content itself holds what differs from day to day: by path, how to make the lasting one of it. */
  rewrite?: Readonly<Record<string, (bytes: Buffer) => Buffer>>;
  /** An existing folder; two files are made in a new folder of it, the one that stays is the layer's. */
  spoolDir: string;
  createdBy: string;
}

/**
 * Makes a layer that a builder wrote into one that depends on what is in it: sorted, one time, no access times, no extended
 * attributes but file capabilities, each path once (the last wins). Mode, owner, hard links, whiteouts and devices stay.
 * Contents go through the disk, so memory does not grow with them. Throws `store-failed` where the stream is no tar.
 */
export async function repackLayer(tar: AsyncIterable<Uint8Array>, options: RepackOptions): Promise<Layer> {
  const dir = mkdtempSync(join(options.spoolDir, 'repack-'));
  try {
    const contents = join(dir, 'contents');
    const items = listItems(await spoolEntries(tar, contents, options), contents, options);
    const layer = await writeLayer(items, join(dir, 'layer.tar'), options.createdBy);
    await rm(contents);
    return layer;
  } catch (cause) {
    await rm(dir, { recursive: true, force: true });
    throw cause;
  }
}

/** What a path names: hard links are two paths of one of these. */
interface Node {
  header: TarHeader;
  offset: number;
}

async function spoolEntries(
  tar: AsyncIterable<Uint8Array>,
  contents: string,
  { rewrite = {} }: RepackOptions,
): Promise<Map<string, Node>> {
  const nodes = new Map<string, Node>();
  await using file = await open(contents, 'wx');
  let offset = 0;
  for await (const { header, content } of readTar(tar, 'the layer to repack')) {
    const path = normalizePath(header.path);
    if (path === '') continue;
    const target = header.type === 'hardlink' ? nodes.get(normalizePath(header.linkTarget ?? '')) : undefined;
    const rewritten = header.type === 'file' ? await rewriteContent(content, rewrite[path]) : undefined;
    const size = rewritten?.length ?? header.size;
    nodes.set(path, target ?? { header: { ...header, path, size }, offset });
    for await (const chunk of rewritten ? [rewritten] : content) offset += await append(file, chunk);
  }
  return nodes;
}

async function rewriteContent(
  content: AsyncIterable<Uint8Array>,
  change: ((bytes: Buffer) => Buffer) | undefined,
): Promise<Buffer | undefined> {
  if (change === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return change(Buffer.concat(chunks));
}

async function append(file: FileHandle, chunk: Uint8Array): Promise<number> {
  await file.writeFile(chunk);
  return chunk.length;
}

function normalizePath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function* listItems(nodes: Map<string, Node>, contents: string, options: RepackOptions): Generator<TarItem> {
  const firstPaths = new Map<Node, string>();
  for (const path of keptPaths(nodes.keys(), options.exclude)) {
    const node = nodes.get(path)!;
    const header = cleanHeader(node.header, path, options.mtime);
    const first = firstPaths.get(node);
    if (first !== undefined) {
      yield { header: { ...header, type: 'hardlink', size: 0, linkTarget: first } };
      continue;
    }
    firstPaths.set(node, path);
    if (header.size === 0) yield { header };
    else yield { header, content: { hostFile: contents, offset: node.offset, size: header.size } };
  }
}

/** In the layer's order; what is below an excluded path is excluded. */
function keptPaths(paths: Iterable<string>, exclude: (path: string) => boolean): string[] {
  const sorted = [...paths].sort(compareBytes);
  const excluded = new Set(sorted.filter(exclude));
  const isOut = (path: string): boolean => path !== '' && (excluded.has(path) || isOut(parentOf(path)));
  return sorted.filter((path) => !isOut(path));
}

const capability = 'SCHILY.xattr.security.capability';

function cleanHeader(header: TarHeader, path: string, mtime: number): TarHeader {
  const { records, ...rest } = header;
  const value = records?.[capability];
  const linkTarget = rest.type === 'hardlink' ? { linkTarget: normalizePath(rest.linkTarget ?? '') } : {};
  return { ...rest, ...linkTarget, path, mtime, ...(value === undefined ? {} : { records: { [capability]: value } }) };
}

async function writeLayer(items: Iterable<TarItem>, hostFile: string, createdBy: string): Promise<Layer> {
  const hash = createHash('sha256');
  let size = 0;
  await using file = await open(hostFile, 'wx');
  for (const slab of writeTar(items)) {
    hash.update(slab);
    size += slab.length;
    await file.writeFile(slab);
  }
  return layerOfKnownFile(hostFile, { diffId: `sha256:${hash.digest('hex')}`, size, createdBy });
}
