import { mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { readBounded } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import type { UserConfig } from '../../spec/config/config.ts';

/** Returns the path of the caller's settings. */
export function userConfigFile({ configDir }: Host): string {
  return join(configDir, 'config.yml');
}

/** Reads the caller's config.yml, or the defaults where it is missing. Throws `config-invalid` with every mistake. */
export async function readUserConfig(host: Host): Promise<UserConfig> {
  const bytes = readConfigBytes(host);
  if (bytes === undefined)
    return { config: 1, catalogs: [], cacheLimit: 10 * 1024 ** 3, registries: {}, signing: {}, trust: {} };
  const { parseConfig } = await import('../../spec/config/config.ts');
  return parseConfig(bytes, userConfigFile(host), host.homeDir);
}

/** Writes config.yml as `edit` returns it, atomically, and makes its folder. A link stays a link. */
export async function editUserConfig(host: Host, edit: (text: string | undefined) => string): Promise<void> {
  const { writeTextAtomic } = await import('../../spec/write/atomic-write.ts');
  const file = userConfigFile(host);
  const text = readConfigBytes(host)?.toString();
  mkdirSync(dirname(file), { recursive: true });
  writeTextAtomic(text === undefined ? file : realpathSync(file), edit(text));
}

/** Reads the bytes of config.yml; undefined where it is missing. Throws `config-invalid` where it cannot be read. */
function readConfigBytes(host: Host): Buffer | undefined {
  const file = userConfigFile(host);
  try {
    return readBounded(file);
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new GbuildError('config-invalid', `${file} cannot be read: ${messageOf(cause)}`, {
      cause,
      suggestions: [`ls -l ${file}`],
      facts: { file },
    });
  }
}
