import picomatch from 'picomatch';
import { containerPaths } from './container-paths.ts';
import type { Shard } from './shard.ts';

/**
 * Selects the names of the caller's variables that the allow-list passes, sorted. Values are read when the run starts.
 */
export function selectPassedNames(allowed: string[], env: Readonly<Record<string, string | undefined>>): string[] {
  if (allowed.length === 0) return [];
  const isAllowed = picomatch(allowed, { dot: true, nobrace: true });
  return Object.keys(env)
    .filter((name) => env[name] !== undefined && isAllowed(name))
    .sort();
}

export interface EnvironmentSources {
  toolchain: Record<string, string>;
  /** Names of secrets; `NAME_FILE` holds the path of the value. */
  secrets: string[];
  spec: Record<string, string>;
  task: Record<string, string>;
  isCI: boolean;
  taskName: string;
  toolchainId: string;
  /** Time of the commit in seconds, so that build tools stamp outputs with it (reproducible-builds.org). */
  sourceDateEpoch?: number | undefined;
  shard: Pick<Shard, 'number' | 'of'>;
  /** Whether a list of the shard's test files exists. */
  isSplit: boolean;
}

/**
 * Composes a task's literal variables; later sources win: gbuild's, the toolchain's, paths of secrets, the spec's, the
 * task's.
 */
export function composeEnvironment(sources: EnvironmentSources): Record<string, string> {
  return {
    HOME: containerPaths.home,
    LANG: 'C.UTF-8',
    ...(sources.isCI && { CI: 'true' }),
    ...(sources.sourceDateEpoch !== undefined && { SOURCE_DATE_EPOCH: String(sources.sourceDateEpoch) }),
    ...sources.toolchain,
    ...Object.fromEntries(sources.secrets.map((name) => [`${name}_FILE`, `${containerPaths.secrets}/${name}`])),
    ...sources.spec,
    ...sources.task,
    GBUILD_TASK: sources.taskName,
    GBUILD_TOOLCHAIN: sources.toolchainId,
    GBUILD_SHARD: String(sources.shard.number),
    GBUILD_SHARDS: String(sources.shard.of),
    ...(sources.isSplit && { GBUILD_SHARD_FILES: containerPaths.shardFiles }),
  };
}
