import { connect } from 'node:net';
import { join } from 'node:path';
import { GbuildError } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { parseJson } from '../answer/json.ts';
import { parseAddress } from './address.ts';
import type { Endpoint } from './endpoint.ts';
import { askMachine, type MachineAnswer } from './machine-program.ts';
import {
  listMachines,
  machineStore,
  parseMachine,
  readMachine,
  readMachineTls,
  type StoredMachine,
  unknownMachine,
} from './machine-store.ts';
import { type EngineTls, readTlsFolder } from './tls.ts';
import { explainMachine } from './tls-failures.ts';

/** Inputs that opening a machine may need. */
export interface MachineContext {
  /** Called before a machine is started. */
  say: (text: string) => void;
  /** Whether a stopped machine is started; otherwise it is an error. */
  mayStart: boolean;
  signal?: AbortSignal;
}

type Why = Pick<Endpoint, 'source' | 'reason' | 'warnings'>;

/**
 * Returns the engine of a machine: docker-machine tells the address, else its store. Always over TLS, and never another
 * engine instead.
 *
 * @throws GbuildError `usage` (no such machine, one without TLS), `engine-unreachable` (stopped, certificates that do
 * not fit)
 */
export async function endpointOfMachine(
  host: Host,
  name: string,
  options: MachineContext,
  why: Why,
): Promise<Endpoint> {
  const inspected = await askMachine(host, ['inspect', name], options.signal);
  const { url, tls } =
    inspected === undefined
      ? readStored(readMachine(host, name, why.source))
      : await readAnswered(host, name, inspected, options, why);
  const { at } = parseAddress(url, `the machine ${name}`, true);
  if (at.host === undefined) throw withoutTls(name, `its address is ${url}`);
  return { ...at, tls, machine: name, ...why, chosenAt: host.startedAt };
}

/** Lists running machines: docker-machine knows them; without it, those that answer at their address. */
export async function findRunning(host: Host, { signal }: Pick<MachineContext, 'signal'>): Promise<string[]> {
  const names = listMachines(host);
  if (names.length === 0) return [];
  const answer = await askMachine(host, ['ls', '--quiet', '--filter', 'state=Running'], signal);
  if (answer !== undefined) return answer.stdout.split('\n').filter((name) => names.includes(name));
  const running = await Promise.all(names.map((name) => listens(host, name)));
  return names.filter((_, index) => running[index]);
}

function readStored(machine: StoredMachine): { url: string; tls: EngineTls } {
  const tls = readMachineTls(machine);
  if (machine.url !== undefined) return { url: machine.url, tls };
  throw new GbuildError('engine-unreachable', `the machine ${machine.name} (${machine.driver}) has no address yet`, {
    suggestions: [`docker-machine start ${machine.name}`, `docker-machine status ${machine.name}`],
  });
}

/** Reads what `docker-machine env` reports. It tests the certificates; only its exit code shows a failed test. */
async function readAnswered(
  host: Host,
  name: string,
  inspected: MachineAnswer,
  options: MachineContext,
  why: Why,
): Promise<{ url: string; tls: EngineTls }> {
  if (inspected.exitCode !== 0 && !listMachines(host).includes(name)) throw unknownMachine(host, name, why.source);
  const dir = join(machineStore(host), 'machines', name);
  const file = `docker-machine inspect ${name}`;
  const machine = parseMachine(parseJson(inspected.stdout), name, dir, file);
  const stored = readMachineTls(machine);
  const env = parseExports((await askEnv(host, name, options)).stdout);
  const { DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH } = env;
  if (!DOCKER_HOST) throw withoutTls(name, `"docker-machine env ${name}" names no engine`);
  if (DOCKER_TLS_VERIFY !== '1' || !DOCKER_CERT_PATH) throw withoutTls(name, 'docker-machine reaches it without TLS');
  const named = readTlsFolder(DOCKER_CERT_PATH, true, {});
  return { url: DOCKER_HOST, tls: named.cert === undefined ? stored : named };
}

async function askEnv(host: Host, name: string, options: MachineContext): Promise<MachineAnswer> {
  const ask = async (...args: string[]) => (await askMachine(host, args, options.signal)) ?? gone;
  const first = await ask('env', '--shell', 'bash', name);
  if (first.exitCode === 0) return first;
  const state = (await ask('status', name)).stdout.trim();
  if (!['Stopped', 'Saved', 'Paused'].includes(state)) throw failedEnv(name, state, first);
  if (!options.mayStart) throw isStopped(name, state);
  options.say(`the machine ${name} is ${state.toLowerCase()}: docker-machine start ${name}`);
  const started = await ask('start', name);
  if (started.exitCode !== 0) throw failedStart(name, state, started);
  const second = await ask('env', '--shell', 'bash', name);
  if (second.exitCode !== 0) throw failedEnv(name, (await ask('status', name)).stdout.trim(), second);
  return second;
}

const gone: MachineAnswer = { exitCode: 127, stdout: '', stderr: 'docker-machine is gone' };

/** Parses lines such as `export NAME="value"`. */
function parseExports(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/^export (\w+)="(.*)"$/gm)];
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value]));
}

function failedEnv(name: string, state: string, answer: MachineAnswer): GbuildError {
  const line = lineOf(answer);
  const known = explainMachine(name, answer.stderr);
  return new GbuildError(
    'engine-unreachable',
    `the machine ${name} cannot be used: ${known === undefined ? line : `${known.sentence} (${line})`}`,
    {
      suggestions: known?.suggestions ?? [`docker-machine env ${name}`, `docker-machine regenerate-certs ${name}`],
      facts: { machine: name, state },
    },
  );
}

function isStopped(name: string, state: string): GbuildError {
  return new GbuildError('engine-unreachable', `the machine ${name} is ${state.toLowerCase()}`, {
    suggestions: [`docker-machine start ${name}`],
    facts: { machine: name, state },
  });
}

function failedStart(name: string, state: string, answer: MachineAnswer): GbuildError {
  return new GbuildError(
    'engine-unreachable',
    `the machine ${name} is ${state.toLowerCase()} and could not be started: ${lineOf(answer)}`,
    { suggestions: [`docker-machine start ${name}`], facts: { machine: name, state } },
  );
}

function withoutTls(name: string, why: string): GbuildError {
  return new GbuildError('usage', `the machine ${name} cannot be used: ${why}`, {
    suggestions: [`docker-machine env ${name}`, `docker-machine regenerate-certs ${name}`],
  });
}

/** Returns the first line of the error output, without progress steps. */
function lineOf({ stderr, exitCode }: MachineAnswer): string {
  const line = stderr.trim().split('\n')[0]?.trim() ?? '';
  return (
    line.replace(/^Error checking TLS connection: (.*There was an error validating certificates for )?/, '') ||
    `exit code ${exitCode}`
  );
}

const connectTimeout = 1_500;

function listens(host: Host, name: string): Promise<boolean> {
  const { url } = readMachine(host, name, 'the store');
  const at = url === undefined ? undefined : parseAddress(url, `the machine ${name}`, true).at;
  if (at?.host === undefined || at.port === undefined) return Promise.resolve(false);
  const socket = connect({ host: at.host, port: at.port, timeout: connectTimeout });
  return new Promise((resolve) => {
    const settle = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket
      .once('connect', () => settle(true))
      .once('timeout', () => settle(false))
      .once('error', () => settle(false));
  });
}
