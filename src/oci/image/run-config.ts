import type { RunConfig } from '../spec.ts';

/**
 * Merges the base's run config with `over`; empty values are left out, so that two engines' spellings of one base
 * agree.
 */
export function mergeRunConfig(base: RunConfig, over: Partial<RunConfig>): RunConfig {
  const { Cmd: baseCmd, ...baseRest } = base;
  const inherited = over.Entrypoint !== undefined || baseCmd === undefined ? baseRest : base;
  const merged: RunConfig = {
    ...inherited,
    ...over,
    Env: mergeEnv(base.Env ?? [], over.Env ?? []),
    Labels: { ...base.Labels, ...over.Labels },
    ExposedPorts: { ...base.ExposedPorts, ...over.ExposedPorts },
    Volumes: { ...base.Volumes, ...over.Volumes },
  };
  return Object.fromEntries(keys.filter((key) => !isEmpty(merged[key])).map((key) => [key, merged[key]]));
}

/** Keys of a run config (OCI config.md, and Docker's Healthcheck and Shell); an engine's inspect has more. */
const keys = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'Healthcheck',
  'Shell',
] as const satisfies (keyof RunConfig)[];

/** Merges `NAME=value` lines by name: a known name keeps its position, new ones follow. */
export function mergeEnv(base: readonly string[], over: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const line of [...base, ...over]) byName.set(line.split('=', 1)[0] ?? line, line);
  return [...byName.values()];
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
