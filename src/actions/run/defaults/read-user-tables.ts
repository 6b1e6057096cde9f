import { join } from 'node:path';
import type { Engine } from '../../../engine/engine.ts';
import { readCached, writeCached } from '../../../fs/cached-file.ts';
import type { Host } from '../../../host.ts';

/** Content of an image's passwd and group; empty where it has none. */
export interface UserTables {
  passwd: string;
  group: string;
}

const format = 'user-tables 1';

/** Reads an image's user tables: once from the engine, afterwards from a cache by image id. */
export async function readUserTables(engine: Engine, host: Host, reference: string): Promise<UserTables> {
  const image = await engine.inspectImage(reference);
  const cacheFile = join(host.cacheDir, 'user-tables', `${image?.id.replace(/^sha256:/, '')}.json`);
  const cached = readCached(cacheFile, format);
  if (cached !== undefined) return JSON.parse(cached) as UserTables;
  const files = await engine.readImageFiles(reference, ['/etc/passwd', '/etc/group']);
  const textOf = (path: string) => files.get(path)?.toString('utf8') ?? '';
  const tables = { passwd: textOf('/etc/passwd'), group: textOf('/etc/group') };
  if (image !== undefined) writeCached(cacheFile, format, JSON.stringify(tables));
  return tables;
}
