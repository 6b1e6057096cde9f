import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../host.ts';
import type { UserConfig } from '../spec/config.ts';

/** The caller's own config.yml; what it says where there is none. Throws `config-invalid` with every mistake. */
export async function readUserConfig({ configDir, homeDir }: Host): Promise<UserConfig> {
  const file = join(configDir, 'config.yml');
  const text = readTextIfAny(file);
  if (text === undefined) return { config: 1, catalogs: [], cacheLimit: 10 * 1024 ** 3, registries: {} };
  const { parseConfig } = await import('../spec/config.ts');
  return parseConfig(text, file, homeDir);
}

function readTextIfAny(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
