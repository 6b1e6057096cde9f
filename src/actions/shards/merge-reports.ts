import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { readPieces, readWhole } from '../../fs/read-bounded.ts';
import type { Progress } from '../../reporter/progress.ts';
import { StagingDir } from '../../sync/pull/staging-dir.ts';
import { RealFolders } from '../../sync/tree/real-folders.ts';

/** Reports that a shard left in its folder. */
export interface ShardReports {
  number: number;
  dir: string;
}

/** Size in bytes up to which reports of one name are merged. */
const largestReport = 256 << 20;

/**
 * Writes the reports of all shards into the workspace, as if one run had written them. JUnit reports of the same name
 * become one; other reports get the number of their shard in their names. Returns their paths, sorted.
 */
export async function mergeReports(
  rootDir: string,
  shards: readonly ShardReports[],
  progress: Progress,
): Promise<string[]> {
  const found = new Map<string, ShardReports[]>();
  for (const shard of shards) {
    const paths = readdirSync(shard.dir, { recursive: true, encoding: 'utf8' });
    for (const path of paths.filter((path) => statSync(join(shard.dir, path)).isFile()))
      found.set(path, [...(found.get(path) ?? []), shard]);
  }
  const folders = new RealFolders(rootDir);
  using staging = new StagingDir(rootDir);
  const written: string[] = [];
  for (const [path, owners] of [...found].sort()) {
    const folder = dirname(path) === '.' ? '' : dirname(path);
    if (folders.ensure(folder)) written.push(...(await mergeOne(rootDir, path, owners, staging)));
    else progress.warn(`not brought back: ${path}: here a folder above it is missing or a link`);
  }
  return written.sort();
}

async function mergeOne(rootDir: string, path: string, owners: ShardReports[], staging: StagingDir): Promise<string[]> {
  const files = owners.map(({ dir }) => join(dir, path));
  const merged = files.length === 1 ? undefined : await mergeFiles(files);
  if (merged !== undefined) {
    await put(staging, [Buffer.from(merged)], files[0]!, join(rootDir, path));
    return [path];
  }
  removeNumbered(join(rootDir, path));
  const written: string[] = [];
  for (const { number, dir } of owners) {
    const own = owners.length === 1 ? path : numbered(path, number);
    await put(staging, readPieces(join(dir, path)), join(dir, path), join(rootDir, own));
    written.push(own);
  }
  return written;
}

/** Writes the file atomically; its staging file lies at the top of the workspace, where a later run finds it. */
async function put(staging: StagingDir, content: Iterable<Uint8Array>, like: string, to: string): Promise<void> {
  const { mode, mtimeMs } = statSync(like);
  const { file } = await staging.write(content, { mode: mode & 0o777, mtime: mtimeMs / 1000 });
  staging.moveTo(file, to);
}

/** Removes numbered reports of an earlier run, which may have had more shards. */
function removeNumbered(file: string): void {
  const [before, after] = numbered(basename(file), '*').split('*');
  for (const name of readdirSync(dirname(file))) {
    const isOne = name.startsWith(before!) && name.endsWith(after!);
    if (isOne && /^\d+$/.test(name.slice(before!.length, name.length - after!.length)))
      rmSync(join(dirname(file), name));
  }
}

/** Merges the files; undefined where they cannot be merged. */
async function mergeFiles(files: string[]): Promise<string | undefined> {
  if (files.some((file) => statSync(file).size > largestReport)) return undefined;
  const texts = files.map((file) => readWhole(file, largestReport).toString());
  if (texts.every((text) => text === texts[0])) return texts[0];
  if (extname(files[0]!) !== '.xml') return undefined;
  const { mergeJUnit } = await import('../../junit/merge-junit.ts');
  return mergeJUnit(texts);
}

/** Numbers a path: `reports/junit.xml` of the second shard is `reports/junit.shard-2.xml`. */
function numbered(path: string, number: number | '*'): string {
  const end = extname(path);
  return `${path.slice(0, path.length - end.length)}.shard-${number}${end}`;
}
