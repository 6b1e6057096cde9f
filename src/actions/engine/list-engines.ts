import type { EngineName } from '../../engine/endpoint/choose-endpoint.ts';
import { listContexts, readCurrentContext } from '../../engine/endpoint/docker-config.ts';
import { listMachines, readMachine } from '../../engine/endpoint/machine-store.ts';
import { findSockets, socketCandidates } from '../../engine/endpoint/sockets.ts';
import { connectEngine, type Endpoint } from '../../engine/engine.ts';
import { GbuildError, messageOf } from '../../errors.ts';
import { readOwner } from '../../fs/process-owner.ts';
import type { Host } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { EngineChoice } from '../session/engine-choice.ts';
import { chooseEngine } from '../session/open-engine.ts';
import { readUserConfig } from '../session/user-config.ts';

/** An engine that was found, and the result of asking it. */
export interface ListedEngine {
  /** Name for `gbuild engine use`. */
  name: string;
  kind: 'flag' | 'environment' | 'configuration' | 'context' | 'socket' | 'machine';
  /** Unknown for a machine whose settings cannot be read. */
  url?: string;
  answers: boolean;
  /** Product and version, such as `docker 20.10.24`. */
  engine?: string;
  /** Reason why the engine does not answer, and how to fix it. */
  error?: string;
  todo?: string[];
  chosen: boolean;
  /** Reason why the engine is chosen, or what would choose it. */
  why: string;
}

interface Candidate {
  name: string;
  kind: ListedEngine['kind'];
  choice: EngineName;
  why: string;
}

/** Time limit in milliseconds: an engine that needs longer counts as one that does not answer. */
const answerTimeout = 5_000;

/**
 * Implements `gbuild engine ls`: asks every known engine at the same time, and marks the chosen one with the reason.
 * Starts no engine.
 */
export async function listEngines(host: Host, flags: EngineChoice, progress: Progress): Promise<ListedEngine[]> {
  const chosen = await chooseQuietly(host, flags, progress);
  const candidates = await findCandidates(host, flags);
  return Promise.all(candidates.map((candidate) => askCandidate(host, candidate, chosen)));
}

/**
 * Returns the engine that a command would choose. A failure of the choice is reported, and the list is printed
 * nevertheless.
 */
async function chooseQuietly(host: Host, flags: EngineChoice, progress: Progress): Promise<Endpoint | undefined> {
  try {
    const endpoint = await chooseEngine(host, flags, { say: () => {}, mayStart: false });
    for (const warning of endpoint.warnings) progress.warn(warning);
    return endpoint;
  } catch (error) {
    const named = flags.host ?? flags.context ?? flags.machine;
    if (!(error instanceof GbuildError) || (named !== undefined && error.code === 'usage')) throw error;
    progress.warn(error.message);
    return undefined;
  }
}

async function findCandidates(host: Host, flags: EngineChoice): Promise<Candidate[]> {
  const configured = await readUserConfig(host);
  const { DOCKER_HOST, DOCKER_CONTEXT } = host.env;
  const current = readCurrentContext(host)?.name;
  const contextWhy = (name: string) => {
    if (name === DOCKER_CONTEXT) return 'DOCKER_CONTEXT names it';
    if (name === configured.context) return 'config.yml names it';
    return name === current ? 'currentContext names it' : `gbuild engine use ${name}`;
  };
  const machineWhy = (name: string) =>
    name === configured.machine ? 'config.yml names it' : `gbuild engine use ${name}`;
  const named = (kind: Candidate['kind'], name: string, choice: EngineName, why: string) => ({
    kind,
    name,
    choice,
    why,
  });
  return [
    ...(flags.host ? [named('flag', flags.host, { host: flags.host }, 'the flag --host names it')] : []),
    ...(DOCKER_HOST ? [named('environment', DOCKER_HOST, {}, 'DOCKER_HOST is set')] : []),
    ...(configured.host
      ? [named('configuration', configured.host, { host: configured.host }, 'config.yml names it')]
      : []),
    ...listContexts(host).map(({ name }) => named('context', name, { context: name }, contextWhy(name))),
    ...findSockets(socketCandidates(host)).map((url) =>
      named('socket', url, { host: url }, `gbuild engine use ${url}`),
    ),
    ...listMachines(host).map((name) => named('machine', name, { machine: name }, machineWhy(name))),
  ];
}

async function askCandidate(
  host: Host,
  { name, kind, choice, why }: Candidate,
  chosen: Endpoint | undefined,
): Promise<ListedEngine> {
  let endpoint: Endpoint | undefined;
  try {
    // The environment's engine is chosen by the environment; every other one by its name on the command line.
    endpoint = await chooseEngine(host, choice, { say: () => {}, mayStart: false });
    const isChosen = kind === kindOf(chosen) && endpoint.url === chosen?.url && endpoint.machine === chosen.machine;
    const known = { name, kind, url: endpoint.url, chosen: isChosen, why: isChosen ? chosen.reason : why };
    return { ...known, ...(await askEngine(endpoint)) };
  } catch (error) {
    return { name, kind, ...readUrl(host, choice), ...failed(error), chosen: false, why };
  }
}

async function askEngine(endpoint: Endpoint): Promise<Pick<ListedEngine, 'answers' | 'engine' | 'error' | 'todo'>> {
  // Several connections at the same time cannot ask a person for a password.
  const silent = endpoint.ssh === undefined ? endpoint : { ...endpoint, ssh: { ...endpoint.ssh, mayAsk: false } };
  const engine = connectEngine(silent, { owner: readOwner(), runId: 'list' });
  const late = new GbuildError('engine-unreachable', `it did not answer within ${answerTimeout / 1000} s`);
  try {
    const { kind, version } = await Promise.race([
      engine.info(),
      new Promise<never>((_, reject) => setTimeout(() => reject(late), answerTimeout).unref()),
    ]);
    return { answers: true, engine: `${kind} ${version}` };
  } catch (error) {
    return failed(error);
  } finally {
    engine.close();
  }
}

/** Reads the address of a machine, also when the machine cannot be used. */
function readUrl(host: Host, { machine }: EngineName): { url?: string } {
  try {
    const url = machine === undefined ? undefined : readMachine(host, machine, 'the store').url;
    return url === undefined ? {} : { url };
  } catch {
    return {};
  }
}

function failed(error: unknown): Pick<ListedEngine, 'answers' | 'error' | 'todo'> {
  return {
    answers: false,
    error: messageOf(error),
    todo: error instanceof GbuildError ? error.suggestions : [],
  };
}

function kindOf(chosen: Endpoint | undefined): ListedEngine['kind'] | undefined {
  if (chosen === undefined) return undefined;
  if (chosen.source === 'DOCKER_HOST') return 'environment';
  if (chosen.context !== undefined) return 'context';
  if (chosen.machine !== undefined) return 'machine';
  if (chosen.source === 'flag --host') return 'flag';
  return chosen.source === 'config.yml' ? 'configuration' : 'socket';
}
