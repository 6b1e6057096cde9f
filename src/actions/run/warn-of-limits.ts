import type { Engine, EngineInfo } from '../../engine/engine.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { Spec } from '../../spec/types.ts';

/**
 * Warns once a run that the engine does not enforce the spec's limits: such an engine accepts them without an error.
 */
export function warnOfLimits({ resources }: Spec, engine: Engine, info: EngineInfo, progress: Progress): void {
  const set = (['memory', 'cpus'] as const).filter((name) => resources[name] !== undefined);
  if (set.length === 0 || !info.ignoresLimits) return;
  const kind = info.rootless ? `a rootless ${info.kind}` : `${info.kind} without cgroups`;
  const names = set.map((name) => `resources.${name}`).join(' and ');
  progress.warn(`${names} of gbuild.yml will not be enforced: ${engine.endpoint.url} is ${kind}, which ignores limits`);
}
