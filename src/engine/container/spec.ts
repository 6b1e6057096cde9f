import type { Readable } from 'node:stream';
import type { Stop } from '../../host.ts';
import type { ContainerPort, EnginePort } from './ports.ts';
import { formatBindings, formatExposed } from './ports.ts';

/** Logging drivers of the engine that can be read back: `local` keeps every byte, the other keeps text. */
export type LogDriver = 'local' | 'json-file';

/** Folder or file of this machine that the engine must see. */
export interface BindMount {
  type: 'bind';
  hostDir: string;
  containerDir: string;
  readOnly?: boolean;
}

/**
 * Mount of a container. A volume starts with the content, owner and mode of the image's folder when `copy` is set; a
 * `nameless` one always does, and is removed with its container. A tmpfs of `size` bytes starts empty, and is writable
 * for everyone.
 */
export type ContainerMount =
  | BindMount
  | { type: 'nameless'; containerDir: string }
  | { type: 'volume'; name: string; containerDir: string; labels?: Record<string, string>; copy?: boolean }
  | { type: 'tmpfs'; containerDir: string; size: number };

/** File or folder put into the container before it starts; ids and mode arrive as given. The path is absolute. */
export interface ContainerFile {
  path: string;
  type: 'file' | 'directory';
  mode: number;
  uid: number;
  gid: number;
  content?: Buffer;
}

/** File on a tmpfs that only the container's user may read; the engine stores its value nowhere. */
export interface ContainerSecret {
  /** Absolute path. */
  path: string;
  value: Buffer;
}

/**
 * Complete description of one container; an empty command means the image's own. gbuild adds only no-new-privileges and
 * no log.
 */
export interface ContainerSpec {
  /** Unique name; the engine refuses a second container of this name. */
  name?: string;
  image: string;
  command: string[];
  entrypoint?: string[];
  /** User as `uid:gid` in numbers. */
  user: string;
  env: Record<string, string>;
  workdir: string;
  mounts: ContainerMount[];
  files: ContainerFile[];
  /**
   * Secrets; the command starts when their files exist. This requires `sh`, `sleep`, `cat` and `mv`, and an empty
   * entrypoint.
   */
  secrets?: ContainerSecret[];
  tty: boolean;
  stdin: boolean;
  network: 'bridge' | 'none' | 'host' | (string & {});
  /** Name of the container on its network, where that is a run's own. */
  alias?: string;
  ports?: ContainerPort[];
  /** Limits; memory in bytes, without additional swap. */
  limits: { memory?: number; cpus?: number; pids?: number };
  /** Capabilities to keep; all others are dropped. */
  capAdd: string[];
  labels: Record<string, string>;
  usernsMode?: string;
  /** Whether the root is read-only; mounts stay writable. */
  readOnlyRoot?: boolean;
  /** Whether an init runs as process 1, which forwards signals and reaps; default true. */
  init?: boolean;
  /** Bind whose folder the engine must really see: compared before the start. */
  probe?: { hostDir: string; containerDir: string };
  /**
   * Driver for output that the engine keeps, so that watching can continue after a lost connection; without it no
   * output is kept. Not for a container with secrets: it may print them, and would wait for those that the break held
   * back.
   */
  log?: LogDriver;
  /** Seconds between the request to stop (SIGTERM) and SIGKILL; default 10. */
  graceSeconds?: number;
}

/** Describes a container of an image for reading its contents: no network, no mounts, no capabilities. */
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

/** Number of bytes of each stream that were handed over. */
export interface OutputSeen {
  stdout: number;
  stderr: number;
}

export interface ContainerIO {
  /** Called with chunks in the order they came; a promise holds the container's output back until it settles. */
  onOutput(stream: 'stdout' | 'stderr', chunk: Buffer): void | Promise<void>;
  stdin?: Readable;
  /** Settles when the created container may start; its failure is thrown. */
  ready?: Promise<unknown>;
  terminal?: { columns: number; rows: number; onResize(call: (columns: number, rows: number) => void): void };
  stop: Stop;
  /** Called when the engine is lost while the container runs, and when it answers again. */
  onAway?: (text: string) => void;
  /** Called once with the container's ports, before its first output. */
  onPublished?: (ports: EnginePort[]) => void | Promise<void>;
}

export interface ContainerResult {
  /** Exit code of the command; 128 + n when a signal ended it; 126 or 127 when it could not be started. */
  exitCode: number;
  oomKilled: boolean;
  seconds: number;
  /** Reason why the command could not be started, in the engine's words. */
  startError?: string;
}

/** Formats the body of POST /containers/create. */
export function formatCreateBody(spec: ContainerSpec): object {
  const awaitsSecrets = (spec.secrets ?? []).length > 0;
  return {
    Image: spec.image,
    ...(spec.command.length > 0 && { Cmd: awaitsSecrets ? awaitSecrets(spec) : spec.command }),
    ...(spec.entrypoint !== undefined && { Entrypoint: spec.entrypoint }),
    User: spec.user,
    Env: Object.entries(spec.env).map(([key, value]) => `${key}=${value}`),
    WorkingDir: spec.workdir,
    // Constant: a container's hostname gets into jars and logs. In another container's network it has that container's
    // name.
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

/** The log is never rotated: the position in it is its length. */
const wholeLog = { 'max-size': '1000g', 'max-file': '1', compress: 'false' };

/** Formats a mount of type bind, never `Binds`: those create a missing host folder, owned by root. */
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

/**
 * Wraps the command in a script that waits for every secret's file. Exit code, signals and input stay the command's
 * own.
 */
function awaitSecrets({ secrets = [], command }: ContainerSpec): string[] {
  const files = secrets.map(({ path }) => `'${path}'`).join(' ');
  const script = `for file in ${files}; do until [ -f "$file" ]; do sleep 0.01 || sleep 1; done; done; exec "$@"`;
  return ['/bin/sh', '-c', script, 'sh', ...command];
}
