import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../host.ts';
import type { UserConfig } from '../spec/config.ts';

/** Where the caller's own settings are. */
export function userConfigFile({ configDir }: Host): string {
  return join(configDir, 'config.yml');
}

/** The caller's own config.yml; what it says where there is none. Throws `config-invalid` with every mistake. */
export async function readUserConfig(host: Host): Promise<UserConfig> {
  const file = userConfigFile(host);
  const text = readTextIfAny(file);
  if (text === undefined) return { config: 1, catalogs: [], cacheLimit: 10 * 1024 ** 3, registries: {}, signing: {} };
  const { parseConfig } = await import('../spec/config.ts');
  return parseConfig(text, file, host.homeDir);
}

/** A file as text; undefined where it cannot be read. */
export function readTextIfAny(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
