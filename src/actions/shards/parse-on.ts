import { listContexts } from '../../engine/endpoint/docker-config.ts';
import { listMachines } from '../../engine/endpoint/machine-store.ts';
import { GbuildError } from '../../errors.ts';
import type { Host } from '../../host.ts';
import type { EngineChoice } from '../session/engine-choice.ts';
import { readEngineName } from '../session/parse-engine-name.ts';

/** Executor of shards that the caller named. */
export interface NamedExecutor {
  name: string;
  kind: 'engine' | 'swarm';
  /** Engine, or a manager of the swarm. */
  choice: EngineChoice;
}

const command = 'gbuild test --on';

/**
 * Parses `--on NAME,...`: engines by any of their names, and `swarm` for the swarm that the chosen engine manages.
 * `chosen` selects that engine. A context or machine named swarm takes precedence. Asks no engine.
 *
 * @throws GbuildError `usage`
 */
export function parseOn(host: Host, text: string, chosen: EngineChoice): NamedExecutor[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw usageError('--on names no engine', [`${command} default`, 'gbuild engine ls']);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw usageError(`--on names "${twice}" twice: --shards sets the number of parts`, [
      `${command} ${[...new Set(names)]} --shards ${names.length}`,
    ]);
  const executors = names.map((name): NamedExecutor => {
    if (isSwarm(host, name)) return { name, kind: 'swarm', choice: chosen };
    return { name, kind: 'engine', choice: readEngineName(host, name, command) };
  });
  const flag = (['host', 'context', 'machine'] as const).find((each) => chosen[each] !== undefined);
  if (flag === undefined || executors.some(({ kind }) => kind === 'swarm')) return executors;
  throw usageError(`--on and --${flag} both name engines`, [`${command} ${text},${chosen[flag]}`]);
}

function isSwarm(host: Host, name: string): boolean {
  if (name !== 'swarm') return false;
  return !listMachines(host).includes(name) && !listContexts(host).some((context) => context.name === name);
}

function usageError(what: string, suggestions: string[]): GbuildError {
  return new GbuildError('usage', what, { suggestions });
}
