import type { Readable } from 'node:stream';
import type { Stop } from '../../host.ts';
import type { ContainerPort, EnginePort } from './ports.ts';
import { formatBindings, formatExposed } from './ports.ts';

/** Logging drivers of the engine that give back what they were given: `local` to the byte, the other one text. */
export type LogDriver = 'local' | 'json-file';

/** A folder or a file of this machine, as the engine has to see it. */
export interface BindMount {
  type: 'bind';
  hostDir: string;
  containerDir: string;
  readOnly?: boolean;
}

/**
 * A volume starts with the content, owner and mode of the image's folder when `copy` says so; one that is
 * `nameless` does so always, and goes with its container. A tmpfs of `size` bytes is empty at the start, and everyone may write to it.
 */
export type ContainerMount =
  | BindMount
  | { type: 'nameless'; containerDir: string }
  | { type: 'volume'; name: string; containerDir: string; labels?: Record<string, string>; copy?: boolean }
  | { type: 'tmpfs'; containerDir: string; size: number };

/** Something put into the container before it starts; ids and mode arrive as given. Absolute path. */
export interface ContainerFile {
  path: string;
  type: 'file' | 'directory';
  mode: number;
  uid: number;
  gid: number;
  content?: Buffer;
}

/** A file on a tmpfs that only the container's user may read; its value is in nothing that the engine keeps. */
export interface ContainerSecret {
  /** Absolute. */
  path: string;
  value: Buffer;
}

/** Everything about one container; a command of no words is the image's own. Nothing is added behind its back but no-new-privileges and no log. */
export interface ContainerSpec {
  /** One of its own; two containers of one name cannot be. */
  name?: string;
  image: string;
  command: string[];
  entrypoint?: string[];
  /** `uid:gid` in numbers. */
  user: string;
  env: Record<string, string>;
  workdir: string;
  mounts: ContainerMount[];
  files: ContainerFile[];
  /** The command starts once they are there. This takes `sh`, `sleep`, `cat` and `mv`, and an entrypoint that is empty. */
  secrets?: ContainerSecret[];
  tty: boolean;
  stdin: boolean;
  network: 'bridge' | 'none' | 'host' | (string & {});
  /** By which others on that network find it, where it is one of a run's own. */
  alias?: string;
  ports?: ContainerPort[];
  /** Memory in bytes, without swap on top. */
  limits: { memory?: number; cpus?: number; pids?: number };
  /** Capabilities kept; all others are dropped. */
  capAdd: string[];
  labels: Record<string, string>;
  usernsMode?: string;
  /** Its root cannot be written to; mounts can. */
  readOnlyRoot?: boolean;
  /** An init as process 1, which passes signals on and reaps; true when left out. */
  init?: boolean;
  /** A bind whose folder the engine must really see: compared before the start. */
  probe?: { hostDir: string; containerDir: string };
  /**
   * The engine keeps the output, so that watching can go on after a lost connection; else nothing is kept. Not for a container
   * that gets secrets: it may print them, and would wait for those that the break kept from it.
   */
  log?: LogDriver;
  /** Seconds between asking to stop (SIGTERM) and SIGKILL; 10 when left out. */
  graceSeconds?: number;
}

/** A container of an image and nothing else: no network, no mounts, no rights, for a look at what is inside. */
export function bareContainer(image: string, command: string[]): ContainerSpec {
  return {
    image,
    command,
    user: '0:0',
    env: {},
    workdir: '/',
    mounts: [],
    files: [],
    tty: false,
    stdin: false,
    network: 'none',
    limits: {},
    capAdd: [],
    labels: {},
  };
}

/** Bytes of each stream that were handed over. */
export interface OutputSeen {
  stdout: number;
  stderr: number;
}

export interface ContainerIO {
  /** Chunks in the order they came; a promise holds the container's output back until it settles. */
  onOutput(stream: 'stdout' | 'stderr', chunk: Buffer): void | Promise<void>;
  stdin?: Readable;
  /** The container is made, and starts when this has come; what it throws is thrown. */
  ready?: Promise<unknown>;
  terminal?: { columns: number; rows: number; onResize(call: (columns: number, rows: number) => void): void };
  stop: Stop;
  /** Told when the engine is lost while the container runs, and when it is back. */
  onAway?: (text: string) => void;
  /** Told once where the container's ports are, before its first output. */
  onPublished?: (ports: EnginePort[]) => void | Promise<void>;
}

export interface ContainerResult {
  /** The command's own code; 128 + n when a signal ended it; 126 or 127 when it could not be started. */
  exitCode: number;
  oomKilled: boolean;
  seconds: number;
  /** Why the command could not be started, in the engine's words. */
  startError?: string;
}

/** The body of POST /containers/create. */
export function formatCreateBody(spec: ContainerSpec): object {
  const awaitsSecrets = (spec.secrets ?? []).length > 0;
  return {
    Image: spec.image,
    ...(spec.command.length > 0 && { Cmd: awaitsSecrets ? awaitSecrets(spec) : spec.command }),
    ...(spec.entrypoint !== undefined && { Entrypoint: spec.entrypoint }),
    User: spec.user,
    Env: Object.entries(spec.env).map(([key, value]) => `${key}=${value}`),
    WorkingDir: spec.workdir,
    // Constant: a container's hostname gets into jars and logs. In another one's network it has that one's.
    ...(!spec.network.startsWith('container:') && { Hostname: spec.alias ?? 'gbuild' }),
    Tty: spec.tty,
    OpenStdin: spec.stdin,
    StdinOnce: spec.stdin,
    AttachStdin: spec.stdin,
    AttachStdout: true,
    AttachStderr: true,
    Labels: spec.labels,
    ...(spec.ports !== undefined && { ExposedPorts: formatExposed(spec.ports) }),
    StopTimeout: spec.graceSeconds ?? 10,
    HostConfig: formatHostConfig(spec),
    ...(spec.alias !== undefined && {
      NetworkingConfig: { EndpointsConfig: { [spec.network]: { Aliases: [spec.alias] } } },
    }),
  };
}

function formatHostConfig(spec: ContainerSpec): object {
  const { memory, cpus, pids } = spec.limits;
  return {
    Init: spec.init ?? true,
    NetworkMode: spec.network,
    ...(spec.ports !== undefined && { PortBindings: formatBindings(spec.ports) }),
    Mounts: spec.mounts.map(formatMount),
    ...(spec.readOnlyRoot === true && { ReadonlyRootfs: true }),
    CapDrop: ['ALL'],
    CapAdd: spec.capAdd,
    SecurityOpt: ['no-new-privileges'],
    LogConfig: spec.log === undefined ? { Type: 'none', Config: {} } : { Type: spec.log, Config: wholeLog },
    ...(memory !== undefined && { Memory: memory, MemorySwap: memory }),
    ...(cpus !== undefined && { NanoCpus: Math.round(cpus * 1e9) }),
    ...(pids !== undefined && { PidsLimit: pids }),
    ...(spec.usernsMode !== undefined && { UsernsMode: spec.usernsMode }),
  };
}

/** Never turned over: what was seen of it is known by its length. */
const wholeLog = { 'max-size': '1000g', 'max-file': '1', compress: 'false' };

/** Mounts of type bind, never `Binds`: those create a missing host folder, owned by root. */
function formatMount(mount: ContainerMount): object {
  if (mount.type === 'bind')
    return { Type: 'bind', Source: mount.hostDir, Target: mount.containerDir, ReadOnly: mount.readOnly ?? false };
  if (mount.type === 'tmpfs')
    return { Type: 'tmpfs', Target: mount.containerDir, TmpfsOptions: { SizeBytes: mount.size, Mode: 0o1777 } };
  if (mount.type === 'nameless') return { Type: 'volume', Target: mount.containerDir };
  return {
    Type: 'volume',
    Source: mount.name,
    Target: mount.containerDir,
    VolumeOptions: { NoCopy: mount.copy !== true, Labels: mount.labels ?? {} },
  };
}

/** The command, held back until every secret has its file; its own exit code, signals and input as without. */
function awaitSecrets({ secrets = [], command }: ContainerSpec): string[] {
  const files = secrets.map(({ path }) => `'${path}'`).join(' ');
  const script = `for file in ${files}; do until [ -f "$file" ]; do sleep 0.01 || sleep 1; done; done; exec "$@"`;
  return ['/bin/sh', '-c', script, 'sh', ...command];
}
