import { constants, copyFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { readWhole } from '../fs/read-bounded.ts';
import type { Progress } from '../reporter/progress.ts';
import { writeBeside } from '../spec/write-beside.ts';
import { RealFolders } from '../sync/real-folders.ts';

/** What a shard left in its folder. */
export interface ShardReports {
  number: number;
  dir: string;
}

/** Bytes up to which reports of one name are looked into. */
const largestReport = 256 << 20;

/**
 * Puts the reports of all shards into the workspace, as if one run had written them: of several of one name, JUnit's become one,
 * others get the number of their shard into their names. Answers their paths, sorted.
 */
export async function landReports(
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
  const landed: string[] = [];
  for (const [path, owners] of [...found].sort()) {
    const folder = dirname(path) === '.' ? '' : dirname(path);
    if (folders.ensure(folder)) landed.push(...(await landOne(rootDir, path, owners)));
    else progress.warn(`not brought back: ${path}: a folder above it is none, or a link, here`);
  }
  return landed.sort();
}

async function landOne(rootDir: string, path: string, owners: ShardReports[]): Promise<string[]> {
  const files = owners.map(({ dir }) => join(dir, path));
  const merged = files.length === 1 ? undefined : await mergeFiles(files);
  if (merged !== undefined) {
    writeBeside(join(rootDir, path), merged);
    return [path];
  }
  removeNumbered(join(rootDir, path));
  return owners.map(({ number, dir }) => {
    const own = owners.length === 1 ? path : numbered(path, number);
    copyBeside(join(dir, path), join(rootDir, own));
    return own;
  });
}

/** Those of an earlier run, which may have had more shards. */
function removeNumbered(file: string): void {
  const [before, after] = numbered(basename(file), '*').split('*');
  for (const name of readdirSync(dirname(file))) {
    const isOne = name.startsWith(before!) && name.endsWith(after!);
    if (isOne && /^\d+$/.test(name.slice(before!.length, name.length - after!.length)))
      rmSync(join(dirname(file), name));
  }
}

/** Undefined where they cannot be one. */
async function mergeFiles(files: string[]): Promise<string | undefined> {
  if (files.some((file) => statSync(file).size > largestReport)) return undefined;
  const texts = files.map((file) => readWhole(file, largestReport).toString());
  if (texts.every((text) => text === texts[0])) return texts[0];
  if (extname(files[0]!) !== '.xml') return undefined;
  const { mergeJUnit } = await import('../report/merge-junit.ts');
  return mergeJUnit(texts);
}

/** `reports/junit.xml` of the second shard is `reports/junit.shard-2.xml`. */
function numbered(path: string, number: number | '*'): string {
  const end = extname(path);
  return `${path.slice(0, path.length - end.length)}.shard-${number}${end}`;
}

function copyBeside(from: string, to: string): void {
  const beside = `${to}.${process.pid}`;
  try {
    copyFileSync(from, beside, constants.COPYFILE_EXCL);
    renameSync(beside, to);
  } finally {
    rmSync(beside, { force: true });
  }
}
