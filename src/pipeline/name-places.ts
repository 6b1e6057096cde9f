import { listContexts } from '../engine/docker-config.ts';
import { listMachines } from '../engine/machine-store.ts';
import { GbuildError } from '../errors.ts';
import type { Host } from '../host.ts';
import { suggest } from '../spec/suggest.ts';
import type { EngineChoice } from './engine-session.ts';

/** A place for shards that the caller named. */
export interface NamedPlace {
  name: string;
  kind: 'engine' | 'swarm';
  /** The engine, or a manager of the swarm. */
  choice: EngineChoice;
}

const swarm = 'swarm';

/**
 * Reads `--on NAME,...`: docker contexts, machines of docker-machine, addresses, and `swarm` for the one that the chosen engine is
 * a manager of (`chosen` says which engine). `context:NAME` and `machine:NAME` say which is meant. Asks no engine.
 *
 * @throws GbuildError `usage`
 */
export function namePlaces(host: Host, text: string, chosen: EngineChoice): NamedPlace[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw wrongPlace('--on names no engine', knownNames(host));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw wrongPlace(`--on names "${twice}" twice`, [...new Set(names)], 'say how many parts there are with --shards');
  }
  const places = names.map((name) => namePlace(host, name, chosen));
  const flag = (['host', 'context', 'machine'] as const).find((each) => chosen[each] !== undefined);
  if (flag === undefined || places.some(({ kind }) => kind === 'swarm')) return places;
  throw new GbuildError('usage', `--on and --${flag} both name engines`, {
    suggestions: [`gbuild test --on ${text},${chosen[flag]}`],
  });
}

function namePlace(host: Host, name: string, chosen: EngineChoice): NamedPlace {
  if (name.includes('://')) return { name, kind: 'engine', choice: { host: name } };
  const [, kind, plain = name] = /^(context|machine):(.*)$/.exec(name) ?? [];
  const isContext =
    kind !== 'machine' && (plain === 'default' || listContexts(host).some((each) => each.name === plain));
  const isMachine = kind !== 'context' && listMachines(host).includes(plain);
  if (isContext && isMachine) {
    throw new GbuildError('usage', `--on ${name}: a docker context and a machine have this name`, {
      suggestions: [`gbuild test --on context:${name}`, `gbuild test --on machine:${name}`],
    });
  }
  if (isContext) return { name, kind: 'engine', choice: { context: plain } };
  if (isMachine) return { name, kind: 'engine', choice: { machine: plain } };
  if (name === swarm) return { name, kind: 'swarm', choice: chosen };
  const known = knownNames(host);
  const near = suggest(plain, known);
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  throw wrongPlace(`--on ${name}: neither a docker context nor a machine, and no address${hint}`, known);
}

function knownNames(host: Host): string[] {
  return [...new Set(['default', ...listContexts(host).map(({ name }) => name), ...listMachines(host), swarm])];
}

function wrongPlace(what: string, names: string[], first?: string): GbuildError {
  const example = `gbuild test --on ${names.slice(0, 3).join(',')}`;
  return new GbuildError('usage', `${what} (there: ${names.join(', ')})`, {
    suggestions: [...(first === undefined ? [] : [first]), example, 'gbuild engine ls'],
    facts: { names },
  });
}
