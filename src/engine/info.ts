import { readField, readList, readNumber, readText, readTexts } from './answer/json.ts';
import type { EngineClient } from './client/client.ts';
import { isOlder } from './client/version.ts';

/** Facts about an engine, with its capabilities. */
export interface EngineInfo {
  id: string;
  name: string;
  version: string;
  /** API version that was negotiated. */
  apiVersion: string;
  kind: 'docker' | 'podman';
  rootless: boolean;
  usernsRemap: boolean;
  /** Whether it accepts limits of memory, CPU and processes without enforcing them. */
  ignoresLimits: boolean;
  /** Whether image ids are manifest digests; otherwise they are config digests. */
  containerdStore: boolean;
  buildkit: boolean;
  /** Memory in bytes. */
  memory: number;
  cpus: number;
  /** Platform such as `linux/amd64`. */
  platform: string;
  rootDir: string;
  /** Role in a swarm. */
  swarm: 'none' | 'worker' | 'manager';
  /** Time of the engine's clock in RFC 3339. */
  time?: string;
  /** Moment of that time, in milliseconds since this process began. */
  toldAt: number;
}

/** Reads GET /info and /version. */
export async function readInfo(client: EngineClient): Promise<EngineInfo> {
  const ask = async (path: string) => (await client.call({ what: 'describe itself', method: 'GET', path })).json;
  const [apiVersion, info, version] = await Promise.all([client.version(), ask('/info'), ask('/version')]);
  const toldAt = performance.now();
  const kind = isPodman(version) ? 'podman' : 'docker';
  const security = readTexts(info, 'SecurityOptions');
  const os = readText(info, 'OSType') ?? 'linux';
  const time = readText(info, 'SystemTime');
  const containerdStore = isContainerdStore(info);
  return {
    id: readId(info, kind),
    name: readText(info, 'Name') ?? '',
    version: readText(version, 'Version') ?? '',
    apiVersion,
    kind,
    rootless: hasSecurity(security, 'rootless'),
    usernsRemap: hasSecurity(security, 'userns'),
    ignoresLimits: ignoresLimits(info, hasSecurity(security, 'rootless')),
    containerdStore,
    // Docker's own builder endpoint has BuildKit since API 1.39, whatever Builder-Version it prefers. With containerd's
    // store, engine 26 cannot read a sent context (it looks for a host of that name); engine 28 can.
    buildkit: kind === 'docker' && os === 'linux' && !(containerdStore && isOlder(apiVersion, '1.48')),
    memory: readNumber(info, 'MemTotal') ?? 0,
    cpus: readNumber(info, 'NCPU') ?? 0,
    platform: `${os}/${readText(version, 'Arch') ?? goArchitecture(readText(info, 'Architecture'))}`,
    rootDir: readText(info, 'DockerRootDir') ?? '',
    swarm: readSwarm(info),
    ...(time !== undefined && { time }),
    toldAt,
  };
}

/** Returns the engine's id. podman makes a new id for every answer: its machine and storage identify it. */
function readId(info: unknown, kind: EngineInfo['kind']): string {
  const id = kind === 'podman' ? undefined : readText(info, 'ID');
  return id ?? `${readText(info, 'Name') ?? ''}:${readText(info, 'DockerRootDir') ?? ''}`;
}

/** Reads the role; a manager that has lost the other managers controls nothing. */
function readSwarm(info: unknown): EngineInfo['swarm'] {
  const swarm = readField(info, 'Swarm');
  if (readField(swarm, 'ControlAvailable') === true) return 'manager';
  return ['active', 'pending'].includes(readText(swarm, 'LocalNodeState') ?? '') ? 'worker' : 'none';
}

function isPodman(version: unknown): boolean {
  return readList(version, 'Components').some((each) => /podman/i.test(readText(each, 'Name') ?? ''));
}

function hasSecurity(options: string[], name: string): boolean {
  return options.some((option) => option.split(',').includes(`name=${name}`) || option === name);
}

/** Whether limits have no effect: a rootless engine has cgroups only where systemd delegates those of version 2. */
function ignoresLimits(info: unknown, rootless: boolean): boolean {
  const driver = readText(info, 'CgroupDriver');
  if (driver === 'none' || readField(info, 'MemoryLimit') === false) return true;
  return rootless && !(driver === 'systemd' && readText(info, 'CgroupVersion') === '2');
}

function isContainerdStore(info: unknown): boolean {
  const status = readField(info, 'DriverStatus');
  return (
    Array.isArray(status) &&
    status.some(
      (pair) => Array.isArray(pair) && pair[0] === 'driver-type' && pair[1] === 'io.containerd.snapshotter.v1',
    )
  );
}

function goArchitecture(machine = 'x86_64'): string {
  return { x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm' }[machine] ?? machine;
}
