import type { ImageConfig, RunConfig } from '../oci/spec.ts';

export interface RebaseInput {
  /** The config of the release. */
  released: ImageConfig;
  /** Of the base it stands on; undefined where that is not at hand any more. */
  oldBase: RunConfig | undefined;
  newBase: RunConfig;
  /** What the new image says of itself that the old one does not. */
  labels: Record<string, string>;
}

export interface RebasePlan {
  /** What the release itself says of running it, to be put over the new base. */
  config: Partial<RunConfig>;
  labels: Record<string, string>;
}

/**
 * What of a release's config is its own and not its base's: what the old base does not say alike. The rest is left to the new
 * base. User and folder are always the release's, for gbuild sets them in every image. Pure.
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

/** An entrypoint that made the base's command go is the release's own, even where the base has the same. */
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

/** What gbuild says of every image is said of the release, even where the base says the same of itself. */
const saidByGbuild = /^(io\.gbuild|org\.opencontainers\.image\.(title|version|revision|created)$)/;

function listOwnLabels(own: Record<string, string>, old: Record<string, string>): Record<string, string> {
  const isOwn = ([name, value]: [string, string]) => saidByGbuild.test(name) || old[name] !== value;
  return Object.fromEntries(Object.entries(own).filter(isOwn));
}

/** Of a variable that both images have, the base is taken to have said it; all else is the release's. */
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
