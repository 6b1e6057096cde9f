import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
  if (text === undefined)
    return { config: 1, catalogs: [], cacheLimit: 10 * 1024 ** 3, registries: {}, signing: {}, trust: {} };
  const { parseConfig } = await import('../spec/config.ts');
  return parseConfig(text, file, host.homeDir);
}

/** Writes config.yml as `edit` gives it: whole and at once, its folder made. A link stays one. */
export async function editUserConfig(host: Host, edit: (text: string | undefined) => string): Promise<void> {
  const { writeBeside } = await import('../spec/write-beside.ts');
  const file = userConfigFile(host);
  const text = readTextIfAny(file);
  mkdirSync(dirname(file), { recursive: true });
  writeBeside(text === undefined ? file : realpathSync(file), edit(text));
}

/** A file as text; undefined where it cannot be read. */
export function readTextIfAny(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
