import { GbuildError } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { listContexts, readContext, readCurrentContext } from './docker-config.ts';
import { type Endpoint, endpointAt, endpointOfContext } from './endpoint.ts';
import { endpointOfMachine, findRunning, type MachineRim } from './machine.ts';
import { findSocket, noEngine, type SocketPlace, socketPlaces } from './sockets.ts';

/** An engine by one of the ways to name it; at most one is set. */
export interface EngineName {
  host?: string | undefined;
  context?: string | undefined;
  machine?: string | undefined;
}

/** What the choice may need besides the environment. */
export interface ChoiceRim extends MachineRim {
  /** What the caller's config.yml names, and the file; asked only when its turn comes. */
  readConfigured: () => Promise<{ name: EngineName; file: string }>;
  places?: SocketPlace[];
}

/**
 * Chooses the engine: flags, DOCKER_HOST, DOCKER_CONTEXT, the caller's config.yml, the docker config's current context, sockets,
 * and at last the only machine that runs. The docker client's order, with ours where it has none: the environment beats every
 * file. Opens no connection to an engine.
 *
 * @throws GbuildError `usage` (two flags, an unknown name, an address that is none), `engine-unreachable` (nothing found)
 */
export async function chooseEndpoint(host: Host, flags: EngineName, rim: ChoiceRim): Promise<Endpoint> {
  refuseTwo(flags);
  const places = rim.places ?? socketPlaces(host);
  for (const kind of ['host', 'context', 'machine'] as const)
    if (flags[kind] !== undefined)
      return openNamed(host, flags, rim, places, {
        source: `flag --${kind}`,
        reason: `the flag --${kind} names it`,
        warnings: [],
      });
  const { DOCKER_HOST, DOCKER_CONTEXT } = host.env;
  if (DOCKER_HOST) return fromDockerHost(host, 'DOCKER_HOST is set', disagreements(host));
  if (DOCKER_CONTEXT)
    return openNamed(host, { context: DOCKER_CONTEXT }, rim, places, {
      source: 'DOCKER_CONTEXT',
      reason: 'DOCKER_CONTEXT is set',
      warnings: [],
    });
  return (await fromFiles(host, rim, places)) ?? fromSurroundings(host, rim, places);
}

function refuseTwo(flags: EngineName): void {
  const given = (['host', 'context', 'machine'] as const).filter((kind) => flags[kind] !== undefined);
  if (given.length < 2) return;
  throw new GbuildError('usage', `${given.map((kind) => `--${kind}`).join(' and ')} both name an engine`, {
    suggestions: [`leave one of them out`, `gbuild doctor --${given.at(-1)} ${flags[given.at(-1)!]}`],
  });
}

type Why = Pick<Endpoint, 'source' | 'reason' | 'warnings'>;

/** Opens what a name says; `default` is no context of the config: it means DOCKER_HOST or, without it, the default sockets. */
async function openNamed(
  host: Host,
  { host: address, context, machine }: EngineName,
  rim: ChoiceRim,
  places: SocketPlace[],
  why: Why,
): Promise<Endpoint> {
  if (address !== undefined) return endpointAt(host, address, why);
  if (machine !== undefined) return endpointOfMachine(host, machine, rim, why);
  if (context === undefined || context === 'default') {
    if (host.env.DOCKER_HOST) return fromDockerHost(host, `${why.reason}, and "default" means DOCKER_HOST`, []);
    return fromSocket(places);
  }
  return endpointOfContext(host, readContext(host, context, why.source), why);
}

/** What files say: ours before docker's. */
async function fromFiles(host: Host, rim: ChoiceRim, places: SocketPlace[]): Promise<Endpoint | undefined> {
  const silent = 'and neither DOCKER_HOST nor DOCKER_CONTEXT is set';
  const { name, file } = await rim.readConfigured();
  const kind = (['host', 'context', 'machine'] as const).find((each) => name[each] !== undefined);
  if (kind !== undefined) {
    const reason = `"${kind}" in ${file} names it ${silent}`;
    return openNamed(host, name, rim, places, { source: 'config.yml', reason, warnings: [] });
  }
  const current = readCurrentContext(host);
  if (current === undefined || current.name === 'default') return undefined;
  const reason = `"currentContext" in ${current.file} names it ${silent}`;
  return openNamed(host, { context: current.name }, rim, places, { source: 'docker config', reason, warnings: [] });
}

/** What is simply there. Several machines that run are no choice. */
async function fromSurroundings(host: Host, rim: ChoiceRim, places: SocketPlace[]): Promise<Endpoint> {
  const { endpoint, warnings } = findSocket(places, reasonOfSocket);
  if (endpoint !== undefined) return endpoint;
  const running = await findRunning(host, rim);
  const [only, ...others] = running;
  if (only === undefined) return fromPodman(host, rim, places, warnings);
  if (others.length > 0) throw noEngine(places, warnings, running);
  const reason = 'nothing else names an engine, no socket is there, and it is the only machine that runs';
  const found = await endpointOfMachine(host, only, rim, { source: 'running machine', reason, warnings });
  rim.say(`using the machine ${only}: ${reason}`);
  return found;
}

/** podman needs no engine that runs: its service is started for this process. */
async function fromPodman(host: Host, rim: ChoiceRim, places: SocketPlace[], warnings: string[]): Promise<Endpoint> {
  const { findIdlePodman, startPodmanService } = await import('./podman-service.ts');
  const program = rim.mayStart ? findIdlePodman(host, places) : undefined;
  if (program === undefined) throw noEngine(places, warnings, []);
  return startPodmanService(host, program, rim.say);
}

function fromSocket(places: SocketPlace[]): Endpoint {
  const { endpoint, warnings } = findSocket(places, reasonOfSocket);
  if (endpoint === undefined) throw noEngine(places, warnings, []);
  return endpoint;
}

function reasonOfSocket(path: string): string {
  return `nothing names an engine and ${path} is there`;
}

/** `eval "$(docker-machine env NAME)"` leaves the machine's name beside its address: failures can then say what mends it. */
function fromDockerHost(host: Host, reason: string, warnings: string[]): Endpoint {
  const { DOCKER_HOST = '', DOCKER_MACHINE_NAME } = host.env;
  const endpoint = endpointAt(host, DOCKER_HOST, { source: 'DOCKER_HOST', reason, warnings });
  return DOCKER_MACHINE_NAME && endpoint.tls !== undefined ? { ...endpoint, machine: DOCKER_MACHINE_NAME } : endpoint;
}

/** DOCKER_HOST beats DOCKER_CONTEXT, as in the docker client itself (its manual says the reverse): say so. */
function disagreements(host: Host): string[] {
  const name = host.env.DOCKER_CONTEXT;
  if (!name || name === 'default') return [];
  const context = listContexts(host).find((each) => each.name === name);
  if (context?.host === host.env.DOCKER_HOST) return [];
  const other = context === undefined ? 'which the docker config does not know' : `which is ${context.host}`;
  return [
    `DOCKER_HOST (${host.env.DOCKER_HOST}) and DOCKER_CONTEXT (${name}, ${other}) name two engines: DOCKER_HOST wins`,
  ];
}
