import { statSync } from 'node:fs';
import { compareBytes, parentOf } from '../tar/arrange.ts';
import type { Content } from '../tar/entry.ts';
import type { TarHeader, TarItem } from '../tar/tar.ts';
import { type ReadEntry, readTarFile } from '../tar/untar.ts';
import { type Layer, layerOfItems } from './layer.ts';

export interface RepackOptions {
  /** Time in seconds for every entry. */
  mtime: number;
  /** Whether to leave out a path (relative, no trailing '/') with everything below it. */
  exclude: (path: string) => boolean;
  /** Small files with content that differs from day to day: by path, the function that makes it constant. */
  rewrite?: Readonly<Record<string, (bytes: Buffer) => Buffer>>;
  createdBy: string;
}

/**
 * Turns a layer that a builder wrote, a tar on disk, into a deterministic one. It is sorted, with one time, without
 * access times, and without extended attributes except file capabilities. Each path occurs once (the last wins). Mode,
 * owner, hard links, whiteouts and devices stay. Contents are read from the file whenever the layer's bytes are
 * requested, so it must stay. Throws `store-failed` for an invalid tar.
 */
export async function repackLayer(tarFile: string, options: RepackOptions): Promise<Layer> {
  const nodes = await indexEntries(tarFile, options);
  const { createdBy } = options;
  return layerOfItems(() => listItems(nodes, tarFile, options), { expected: statSync(tarFile).size, createdBy });
}

/** File behind a path: hard links are two paths of the same node. */
interface Node {
  header: TarHeader;
  offset: number;
  /** Content that replaces the original. */
  rewritten?: Content;
}

async function indexEntries(tarFile: string, { rewrite = {} }: RepackOptions): Promise<Map<string, Node>> {
  const nodes = new Map<string, Node>();
  for await (const entry of readTarFile(tarFile, 'the layer to repack')) {
    const { header, offset } = entry;
    const path = normalizePath(header.path);
    if (path === '') continue;
    const target = header.type === 'hardlink' ? nodes.get(normalizePath(header.linkTarget ?? '')) : undefined;
    nodes.set(path, target ?? (await rewriteEntry(entry, rewrite[path])) ?? { header: { ...header, path }, offset });
  }
  return nodes;
}

async function rewriteEntry(
  { header, offset, content }: ReadEntry,
  change: ((bytes: Buffer) => Buffer) | undefined,
): Promise<Node | undefined> {
  if (change === undefined || header.type !== 'file') return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  const bytes = change(Buffer.concat(chunks));
  const size = bytes.length;
  return { header: { ...header, size }, offset, rewritten: { bytes, size } };
}

function normalizePath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

function* listItems(nodes: Map<string, Node>, tarFile: string, options: RepackOptions): Generator<TarItem> {
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
    else yield { header, content: node.rewritten ?? { hostFile: tarFile, offset: node.offset, size: header.size } };
  }
}

/** Returns the paths in the layer's order, without those below an excluded path. */
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
