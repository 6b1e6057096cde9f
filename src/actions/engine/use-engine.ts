import { existsSync } from 'node:fs';
import type { EngineName } from '../../engine/endpoint/choose-endpoint.ts';
import type { Host } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import { readEngineName } from '../session/parse-engine-name.ts';
import { editUserConfig, readUserConfig, userConfigFile } from '../session/user-config.ts';

export interface UsedEngine {
  file: string;
  /** Empty when config.yml no longer names an engine. */
  engine: EngineName;
}

/**
 * Implements `gbuild engine use`: checks that the engine is known and writes it atomically to the caller's config.yml.
 * Reports what takes precedence over it.
 */
export async function useEngine(host: Host, name: string, progress: Progress): Promise<UsedEngine> {
  const engine = readEngineName(host, name);
  await readUserConfig(host);
  const file = userConfigFile(host);
  if (existsSync(file) || Object.keys(engine).length > 0) {
    const { nameEngine } = await import('../../spec/config/edit-config.ts');
    await editUserConfig(host, (text) => nameEngine(text, engine));
  }
  for (const variable of ['DOCKER_HOST', 'DOCKER_CONTEXT'])
    if (host.env[variable])
      progress.warn(`${variable} is set (${host.env[variable]}) and takes precedence: unset ${variable}`);
  return { file, engine };
}
