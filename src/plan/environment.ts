import picomatch from 'picomatch';
import { containerPaths } from './container-paths.ts';
import type { Shard } from './shard.ts';

/** Names of the caller's variables that the allow-list lets through, sorted. Values are looked up when the run starts. */
export function selectPassedNames(allowed: string[], env: Readonly<Record<string, string | undefined>>): string[] {
  if (allowed.length === 0) return [];
  const isAllowed = picomatch(allowed, { dot: true, nobrace: true });
  return Object.keys(env)
    .filter((name) => env[name] !== undefined && isAllowed(name))
    .sort();
}

export interface EnvironmentSources {
  toolchain: Record<string, string>;
  /** Names; `NAME_FILE` says where the value is. */
  secrets: string[];
  spec: Record<string, string>;
  task: Record<string, string>;
  isCI: boolean;
  taskName: string;
  toolchainId: string;
  /** The commit's time in seconds, so that build tools stamp outputs with it (reproducible-builds.org). */
  sourceDateEpoch?: number | undefined;
  shard: Pick<Shard, 'number' | 'of'>;
  /** There is a list of the shard's test files. */
  isSplit: boolean;
}

/** A task's literal variables, later sources winning: ours, the toolchain's, places of secrets, the spec's, the task's. */
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
