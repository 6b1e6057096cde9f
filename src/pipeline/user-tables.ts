import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import type { Host } from '../host.ts';

/** An image's own passwd and group; empty where it has none. */
export interface UserTables {
  passwd: string;
  group: string;
}

/** Reads an image's user tables, from the engine once and from a cache by image id afterwards. */
export async function readUserTables(engine: Engine, host: Host, reference: string): Promise<UserTables> {
  const image = await engine.inspectImage(reference);
  const cacheFile = join(host.cacheDir, 'user-tables', `${image?.id.replace(/^sha256:/, '')}.json`);
  const cached = readCached(cacheFile);
  if (cached !== undefined) return cached;
  const files = await engine.readImageFiles(reference, ['/etc/passwd', '/etc/group']);
  const textOf = (path: string) => files.get(path)?.toString('utf8') ?? '';
  const tables = { passwd: textOf('/etc/passwd'), group: textOf('/etc/group') };
  mkdirSync(join(host.cacheDir, 'user-tables'), { recursive: true });
  const beside = `${cacheFile}.${process.pid}`;
  writeFileSync(beside, JSON.stringify(tables));
  renameSync(beside, cacheFile);
  return tables;
}

function readCached(file: string): UserTables | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as UserTables;
  } catch {
    return undefined;
  }
}
