import { GbuildError } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { listContexts, readContext, readCurrentContext } from './docker-config.ts';
import { type Endpoint, endpointAt, endpointOfContext } from './endpoint.ts';
import { endpointOfMachine, findRunning, type MachineContext } from './machine.ts';
import { findSocket, noEngine, type SocketCandidate, socketCandidates } from './sockets.ts';

/** Name of an engine in one of several forms; at most one is set. */
export interface EngineName {
  host?: string | undefined;
  context?: string | undefined;
  machine?: string | undefined;
}

/** Inputs that the choice may need in addition to the environment. */
export interface EndpointContext extends MachineContext {
  /** Reads the engine that the caller's config.yml names, and the file; called only when its turn comes. */
  readConfigured: () => Promise<{ name: EngineName; file: string }>;
  sockets?: SocketCandidate[];
}

/**
 * Chooses the engine: flags, DOCKER_HOST, DOCKER_CONTEXT, the caller's config.yml, the docker config's current context,
 * sockets, and last the only running machine. This is the docker client's order, extended where it has none: the
 * environment takes precedence over every file. Opens no connection to an engine.
 *
 * @throws GbuildError `usage` (two flags, an unknown name, an invalid address), `engine-unreachable` (nothing found)
 */
export async function chooseEndpoint(host: Host, flags: EngineName, options: EndpointContext): Promise<Endpoint> {
  refuseTwo(flags);
  const sockets = options.sockets ?? socketCandidates(host);
  for (const kind of ['host', 'context', 'machine'] as const)
    if (flags[kind] !== undefined)
      return openNamed(host, flags, options, sockets, {
        source: `flag --${kind}`,
        reason: `the flag --${kind} names it`,
        warnings: [],
      });
  const { DOCKER_HOST, DOCKER_CONTEXT } = host.env;
  if (DOCKER_HOST) return fromDockerHost(host, 'DOCKER_HOST is set', disagreements(host));
  if (DOCKER_CONTEXT)
    return openNamed(host, { context: DOCKER_CONTEXT }, options, sockets, {
      source: 'DOCKER_CONTEXT',
      reason: 'DOCKER_CONTEXT is set',
      warnings: [],
    });
  return (await fromFiles(host, options, sockets)) ?? fromSurroundings(host, options, sockets);
}

function refuseTwo(flags: EngineName): void {
  const given = (['host', 'context', 'machine'] as const).filter((kind) => flags[kind] !== undefined);
  if (given.length < 2) return;
  throw new GbuildError('usage', `${given.map((kind) => `--${kind}`).join(' and ')} both name an engine`, {
    suggestions: [`leave one of them out`, `gbuild doctor --${given.at(-1)} ${flags[given.at(-1)!]}`],
  });
}

type Why = Pick<Endpoint, 'source' | 'reason' | 'warnings'>;

/**
 * Opens a named engine. `default` is no context of the config: it means DOCKER_HOST or, without it, the default
 * sockets.
 */
async function openNamed(
  host: Host,
  { host: address, context, machine }: EngineName,
  options: EndpointContext,
  sockets: SocketCandidate[],
  why: Why,
): Promise<Endpoint> {
  if (address !== undefined) return endpointAt(host, address, why);
  if (machine !== undefined) return endpointOfMachine(host, machine, options, why);
  if (context === undefined || context === 'default') {
    if (host.env.DOCKER_HOST) return fromDockerHost(host, `${why.reason}, and "default" means DOCKER_HOST`, []);
    return fromSocket(sockets);
  }
  return endpointOfContext(host, readContext(host, context, why.source), why);
}

/** Chooses by files: gbuild's before docker's. */
async function fromFiles(
  host: Host,
  options: EndpointContext,
  sockets: SocketCandidate[],
): Promise<Endpoint | undefined> {
  const silent = 'and neither DOCKER_HOST nor DOCKER_CONTEXT is set';
  const { name, file } = await options.readConfigured();
  const kind = (['host', 'context', 'machine'] as const).find((each) => name[each] !== undefined);
  if (kind !== undefined) {
    const reason = `"${kind}" in ${file} names it ${silent}`;
    return openNamed(host, name, options, sockets, { source: 'config.yml', reason, warnings: [] });
  }
  const current = readCurrentContext(host);
  if (current === undefined || current.name === 'default') return undefined;
  const reason = `"currentContext" in ${current.file} names it ${silent}`;
  return openNamed(host, { context: current.name }, options, sockets, {
    source: 'docker config',
    reason,
    warnings: [],
  });
}

/** Chooses from sockets and running machines. Several running machines are no choice. */
async function fromSurroundings(host: Host, options: EndpointContext, sockets: SocketCandidate[]): Promise<Endpoint> {
  const { endpoint, warnings } = findSocket(sockets, reasonOfSocket);
  if (endpoint !== undefined) return endpoint;
  const running = await findRunning(host, options);
  const [only, ...others] = running;
  if (only === undefined) return fromPodman(host, options, sockets, warnings);
  if (others.length > 0) throw noEngine(sockets, warnings, running);
  const reason = 'nothing else names an engine, no socket is there, and it is the only machine that runs';
  const found = await endpointOfMachine(host, only, options, { source: 'running machine', reason, warnings });
  options.say(`using the machine ${only}: ${reason}`);
  return found;
}

/** Starts podman's service for this process: podman needs no running engine. */
async function fromPodman(
  host: Host,
  options: EndpointContext,
  sockets: SocketCandidate[],
  warnings: string[],
): Promise<Endpoint> {
  const { findIdlePodman, startPodmanService } = await import('./podman-service.ts');
  const program = options.mayStart ? findIdlePodman(host, sockets) : undefined;
  if (program === undefined) throw noEngine(sockets, warnings, []);
  return startPodmanService(host, program, options.say);
}

function fromSocket(sockets: SocketCandidate[]): Endpoint {
  const { endpoint, warnings } = findSocket(sockets, reasonOfSocket);
  if (endpoint === undefined) throw noEngine(sockets, warnings, []);
  return endpoint;
}

function reasonOfSocket(path: string): string {
  return `nothing names an engine and ${path} is there`;
}

/**
 * Reads DOCKER_HOST. `eval "$(docker-machine env NAME)"` also sets the machine's name, so failures can name the fix.
 */
function fromDockerHost(host: Host, reason: string, warnings: string[]): Endpoint {
  const { DOCKER_HOST = '', DOCKER_MACHINE_NAME } = host.env;
  const endpoint = endpointAt(host, DOCKER_HOST, { source: 'DOCKER_HOST', reason, warnings });
  return DOCKER_MACHINE_NAME && endpoint.tls !== undefined ? { ...endpoint, machine: DOCKER_MACHINE_NAME } : endpoint;
}

/**
 * Warns that DOCKER_HOST takes precedence over DOCKER_CONTEXT, as in the docker client itself (its manual says the
 * reverse).
 */
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
