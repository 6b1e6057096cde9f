import { existsSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findIdlePodman } from '../../engine/endpoint/podman-service.ts';
import { connectEngine, type Endpoint, type Engine } from '../../engine/engine.ts';
import type { EngineInfo } from '../../engine/info.ts';
import { GbuildError, messageOf } from '../../errors.ts';
import { readOwner } from '../../fs/process-owner.ts';
import type { Host } from '../../host.ts';
import { formatBytes } from '../../reporter/format.ts';
import { silentProgress } from '../../reporter/progress.ts';
import { findLoopbackProxies } from '../../toolchain/host/loopback.ts';
import { readHostTrust } from '../../toolchain/host/trust.ts';
import { findProxyRoute, type ProxyRoute } from '../run/defaults/proxy-relay.ts';
import { tellSkew } from '../session/clock-skew.ts';
import type { AppContext } from '../session/context.ts';
import type { EngineChoice } from '../session/engine-choice.ts';
import { chooseEngine } from '../session/open-engine.ts';
import { openWorkspace } from '../session/open-repository.ts';
import type { Check } from './check.ts';
import { checkStore, type FixRequest, fixStore } from './check-store.ts';

export interface Diagnosis {
  checks: Check[];
  endpoint?: Endpoint;
  info?: EngineInfo;
}

export interface DoctorInput extends Omit<AppContext, 'progress'> {
  choice: EngineChoice;
  nodeVersion: string;
  /** Names of the wanted checks; empty for all. */
  only: string[];
  /** Undefined to check the release store without changing it. */
  fix?: FixRequest | undefined;
}

export const doctorChecks = ['node', 'engine', 'disk', 'proxy', 'trust', 'clock', 'store', 'spec', 'lock'] as const;

const leastFreeBytes = 3e9;

/** Implements `gbuild doctor`: checks everything that a run depends on. Changes nothing without `fix`. */
export async function diagnose(input: DoctorInput): Promise<Diagnosis> {
  const wanted = (name: (typeof doctorChecks)[number]) => input.only.length === 0 || input.only.includes(name);
  const checks: Check[] = [];
  const asksEngine = wanted('engine') || wanted('clock') || (wanted('proxy') && namesLoopback(input.host));
  const engine = asksEngine ? await checkEngine(input) : undefined;
  if (wanted('node')) checks.push(ok('node', `Node ${input.nodeVersion}`));
  if (engine && wanted('engine')) checks.push(engine.check);
  if (wanted('disk')) checks.push(checkDisk(input.host, engine?.info));
  if (wanted('proxy') || wanted('trust'))
    checks.push(...checkNetwork(input.host, engine?.route).filter(({ name }) => wanted(name as 'proxy')));
  if (engine && wanted('clock')) checks.push(checkClock(input.host, engine));
  if (wanted('store')) checks.push(await checkReleases(input));
  if (wanted('spec') || wanted('lock'))
    checks.push(...(await checkRepository(input)).filter(({ name }) => wanted(name as 'spec')));
  return {
    checks,
    ...(engine?.endpoint !== undefined && { endpoint: engine.endpoint }),
    ...(engine?.info !== undefined && { info: engine.info }),
  };
}

interface CheckedEngine {
  check: Check;
  endpoint?: Endpoint;
  info?: EngineInfo;
  /** Route by which the engine's containers reach this machine's loopback address. */
  route?: ProxyRoute;
}

async function checkEngine({ host, choice }: DoctorInput): Promise<CheckedEngine> {
  let endpoint: Endpoint | undefined;
  let engine: Engine | undefined;
  try {
    endpoint = await chooseEngine(host, choice, { say: () => {}, mayStart: false });
    engine = connectEngine(endpoint, { owner: readOwner(), runId: 'doctor' });
    const info = await engine.info();
    const route = namesLoopback(host) ? await findProxyRoute(engine, host) : undefined;
    const kind = `${info.kind} ${info.version}${info.rootless ? ', rootless' : ''}, ${info.cpus} CPUs, ${formatBytes(info.memory)}`;
    const detail = `${endpoint.url} (${kind}), because ${endpoint.reason}`;
    if (endpoint.warnings.length > 0) {
      return {
        check: { name: 'engine', state: 'warning', detail: [detail, ...endpoint.warnings].join('; '), todo: [] },
        endpoint,
        info,
        ...(route !== undefined && { route }),
      };
    }
    return { check: ok('engine', detail), endpoint, info, ...(route !== undefined && { route }) };
  } catch (error) {
    if (error instanceof GbuildError && error.code === 'usage') throw error;
    const podman = endpoint === undefined ? findIdlePodman(host) : undefined;
    if (podman !== undefined)
      return { check: ok('engine', `${podman}, which does not run: every command that needs it starts it for itself`) };
    return { check: problemOf('engine', error), ...(endpoint !== undefined && { endpoint }) };
  } finally {
    engine?.close();
  }
}

function checkDisk(host: Host, info: EngineInfo | undefined): Check {
  const dir = nearestFolder(info !== undefined && existsSync(info.rootDir) ? info.rootDir : host.cacheDir);
  const { bavail, bsize } = statfsSync(dir);
  const free = bavail * bsize;
  const detail = `${formatBytes(free)} free in ${dir}`;
  if (free >= leastFreeBytes) return ok('disk', detail);
  return { name: 'disk', state: 'warning', detail, todo: ['gbuild clean', 'docker system prune'] };
}

function nearestFolder(dir: string): string {
  return existsSync(dir) || dirname(dir) === dir ? dir : nearestFolder(dirname(dir));
}

function checkNetwork(host: Host, route: ProxyRoute | undefined): Check[] {
  const { extraRoots, proxies } = readHostTrust(host);
  const roots = extraRoots.match(/BEGIN CERTIFICATE/g)?.length ?? 0;
  return [
    checkProxy(proxies, route),
    ok(
      'trust',
      roots > 0
        ? `${roots} CA roots of this host, trusted by nobody else, are passed to builds and runs and stay out of images`
        : 'this host trusts the public CA roots only',
    ),
  ];
}

function namesLoopback(host: Host): boolean {
  return findLoopbackProxies(readHostTrust(host).proxies).length > 0;
}

/**
 * Checks the proxies. Builds reach the loopback address by the host's network; tasks need a route that some engines
 * lack.
 */
function checkProxy(proxies: Record<string, string>, route: ProxyRoute | undefined): Check {
  const names = Object.keys(proxies).join(', ');
  const local = findLoopbackProxies(proxies).map(({ name }) => name);
  if (names === '') return ok('proxy', 'none is set');
  if (local.length === 0) return ok('proxy', `${names} are passed to builds and runs`);
  if (route !== undefined) {
    const by = route.kind === 'relay' ? `by a relay at ${route.gateway}` : `as ${route.host}`;
    return ok('proxy', `${names} are passed to builds and runs; ${local.join(', ')} at the loopback address ${by}`);
  }
  const detail = `${local.join(', ')} at this machine's loopback address reach builds, and no task on the engine's bridge`;
  return {
    name: 'proxy',
    state: 'warning',
    detail,
    todo: [`unset ${local.join(' ')}   # if no task needs the proxy`, 'write "network: host" in gbuild.yml'],
  };
}

function checkClock(host: Host, { info, endpoint }: { info?: EngineInfo; endpoint?: Endpoint }): Check {
  const skew = tellSkew(host, info, endpoint?.machine);
  if (skew === undefined) return ok('clock', 'this machine and the engine agree');
  return { name: 'clock', state: 'warning', ...skew };
}

async function checkRepository(input: DoctorInput): Promise<Check[]> {
  try {
    const session = await openWorkspace({ ...input, progress: silentProgress });
    const { rootDir, specFile, rememberedIn } = session;
    const spec = ok('spec', specFile ?? `none in ${rootDir}; detected from its files as ${session.toolchain.request}`);
    const { lockState, request, name, version } = session.toolchain;
    const file = join(rootDir, 'gbuild.lock');
    const where = rememberedIn === undefined ? file : `remembered for ${rootDir}, not written there`;
    if (lockState === 'fits') return [spec, ok('lock', `${where}: ${request} is ${name} ${version}`)];
    const detail = lockState === 'none' ? `${file} is not there yet` : `${file} does not fit the spec: ${lockState}`;
    return [spec, { name: 'lock', state: 'warning', detail, todo: ['gbuild lock', 'git add gbuild.lock'] }];
  } catch (error) {
    if (error instanceof GbuildError && error.code === 'spec-missing') {
      return [{ name: 'spec', state: 'warning', detail: error.message, todo: error.suggestions }];
    }
    return [problemOf(error instanceof GbuildError && error.code === 'lock-invalid' ? 'lock' : 'spec', error)];
  }
}

async function checkReleases(input: DoctorInput): Promise<Check> {
  try {
    return await (input.fix === undefined ? checkStore(input) : fixStore(input, input.choice, input.fix));
  } catch (error) {
    if (error instanceof GbuildError && error.code === 'usage') throw error;
    return problemOf('store', error);
  }
}

function ok(name: string, detail: string): Check {
  return { name, state: 'ok', detail, todo: [] };
}

function problemOf(name: string, error: unknown): Check {
  return {
    name,
    state: 'problem',
    detail: messageOf(error),
    todo: error instanceof GbuildError ? error.suggestions : [],
  };
}
