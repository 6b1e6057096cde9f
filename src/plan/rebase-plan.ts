import type { ImageConfig, RunConfig } from '../oci/spec.ts';

export interface RebaseInput {
  /** Config of the release. */
  released: ImageConfig;
  /** Config of the present base; undefined where it cannot be read any more. */
  oldBase: RunConfig | undefined;
  newBase: RunConfig;
  /** Labels that only the new image has. */
  labels: Record<string, string>;
}

export interface RebasePlan {
  /** Run config of the release itself, for merging over the new base. */
  config: Partial<RunConfig>;
  labels: Record<string, string>;
}

/**
 * Plans which settings are the release's own and not its base's: those that differ from the old base. The rest comes
 * from the new base. User and folder are always the release's, because gbuild sets them in every image. Pure.
 */
export function planRebase({ released, oldBase, newBase, labels }: RebaseInput): RebasePlan {
  const own = released.config;
  const old = oldBase ?? guessBase(own, newBase);
  return {
    config: {
      ...pick(own, ['User', 'WorkingDir']),
      ...pick(own, listOwn(own, old)),
      Env: (own.Env ?? []).filter((line) => !old.Env?.includes(line)),
      ExposedPorts: without(own.ExposedPorts, old.ExposedPorts),
      Volumes: without(own.Volumes, old.Volumes),
    },
    labels: { ...listOwnLabels(own.Labels ?? {}, old.Labels ?? {}), ...labels },
  };
}

const inheritable = ['Entrypoint', 'Cmd', 'StopSignal', 'Healthcheck', 'Shell'] as const satisfies (keyof RunConfig)[];

/**
 * Lists the release's own keys. An entrypoint that removed the base's command is the release's own, even where the base
 * has the same.
 */
function listOwn(own: RunConfig, old: RunConfig): (keyof RunConfig)[] {
  const droppedCommand = isThere(old.Cmd) && !isThere(own.Cmd);
  return inheritable.filter((key) => {
    if (key === 'Entrypoint' && droppedCommand) return true;
    return isThere(own[key]) && JSON.stringify(own[key]) !== JSON.stringify(old[key]);
  });
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}

/** Labels that gbuild sets on every image: they are the release's, even where the base has the same. */
const saidByGbuild = /^(io\.gbuild|org\.opencontainers\.image\.(title|version|revision|created)$)/;

function listOwnLabels(own: Record<string, string>, old: Record<string, string>): Record<string, string> {
  const isOwn = ([name, value]: [string, string]) => saidByGbuild.test(name) || old[name] !== value;
  return Object.fromEntries(Object.entries(own).filter(isOwn));
}

/** Guesses the old base's config: a variable in both images counts as the base's; everything else is the release's. */
function guessBase(own: RunConfig, newBase: RunConfig): RunConfig {
  const names = new Set(newBase.Env?.map(nameOf));
  return { Env: (own.Env ?? []).filter((line) => names.has(nameOf(line))) };
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf('='));
}

function pick(config: RunConfig, keys: readonly (keyof RunConfig)[]): Partial<RunConfig> {
  return Object.fromEntries(keys.filter((key) => config[key] !== undefined).map((key) => [key, config[key]]));
}

function without<T extends object>(own: T | undefined, old: T | undefined): T {
  return Object.fromEntries(Object.entries(own ?? {}).filter(([key]) => !(key in (old ?? {})))) as T;
}
