/** Spec as the rest of gbuild reads it: checked, units converted to numbers, every default filled in. */
export interface Spec {
  gbuild: 1;
  /** Repository of the image, without registry and tag: `hello`, `acme/hello`. */
  name: string;
  /** Registry as `HOST` or `HOST:PORT`. */
  registry?: string;
  toolchain: ToolchainRequest;
  /** Folders of the repository or git addresses, searched before gbuild's own catalog. */
  catalogs: string[];
  /** Literal variables of every task. Records have no prototype: looking up `toString` finds nothing. */
  env: Record<string, string>;
  /** Names or globs (`AWS_*`) of the caller's variables that tasks may see. */
  passEnv: string[];
  /** Sources of the secrets' values, by name. */
  secrets: Record<string, SecretSpec>;
  caches: 'auto' | CacheSpec[];
  resources: ResourcesSpec;
  network: NetworkName;
  sync: SyncSpec;
  /** Services that run during tasks, by their host names. */
  services: Record<string, ServiceSpec>;
  tasks: Record<string, TaskSpec>;
  image: ImageSpec;
  deliver: DeliverSpec;
}

/** Toolchain that the repository builds in. `request` is the file's text in one line, for messages and the lock. */
export type ToolchainRequest = CatalogToolchain | ImageToolchain | FolderToolchain;

export type OptionValue = string | number | boolean | string[];

export interface CatalogToolchain {
  kind: 'catalog';
  request: string;
  name: string;
  /** Semver range; `*` where the file names no version. */
  range: string;
  options: Record<string, OptionValue>;
}

export interface ImageToolchain {
  kind: 'image';
  request: string;
  reference: string;
}

export interface FolderToolchain {
  kind: 'folder';
  request: string;
  /** Path relative to the repository, with `/`, without `./`; `.` is the repository itself. */
  path: string;
}

/** Source of a secret; exactly one key is set. */
export interface SecretSpec {
  /** Variable of the caller. */
  env?: string;
  /** File of the host: absolute, below `~/`, or relative to the repository. */
  file?: string;
  /** Program of the host with arguments; its output without the last line end is the value. */
  command?: string[];
}

export interface CacheSpec {
  name: string;
  /** Absolute path in the container. */
  path: string;
  env?: Record<string, string>;
}

export interface ResourcesSpec {
  cpus?: number;
  /** Memory in bytes. */
  memory?: number;
  pids: number;
}

/** Files that are sent to an engine that cannot see the workspace. */
export interface SyncSpec {
  /** Globs of paths that git ignores and that tasks need nevertheless; they come back, too. */
  include: string[];
}

export type NetworkName = 'bridge' | 'none' | 'host';

/** Port of a container that the engine makes reachable from outside. */
export interface PublishedPort {
  port: number;
  protocol: 'tcp' | 'udp';
  /** Port of the engine; a free one when left out. */
  enginePort?: number;
}

export interface TaskSpec {
  /** Text for a shell, or one command as a list of words. */
  run: string | string[];
  needs: string[];
  env: Record<string, string>;
  /** Names of its secrets. */
  secrets: string[];
  ports: PublishedPort[];
  /** Names of its services. */
  services: string[];
  /** Time limit in seconds. */
  timeout?: number;
  /** Globs of report files in the workspace. */
  reports: string[];
  /** Globs of its test files, which shards divide. */
  split: string[];
  /** Folder relative to the workspace; `.` is the workspace itself. */
  workdir: string;
}

/** Service: an image with an optional other command, or a command in the build image, like a task. */
export interface ServiceSpec {
  image?: string;
  /** Command; only with `image`. */
  command?: string[];
  /** Command; required without `image`, and only allowed there. */
  run?: string | string[];
  env: Record<string, string>;
  ports: PublishedPort[];
  ready: ReadySpec;
}

/** Readiness check; at most one of `cmd` and `port` is set. */
export interface ReadySpec {
  /** Command to run in its container: exit code 0 means ready. */
  cmd?: string[];
  /** Port that must accept connections. */
  port?: number;
  /** Time limit in seconds. */
  timeout: number;
}

export interface ImageSpec {
  base: string;
  /** Defaults to the Java runtime of the toolchain's runtime image. */
  jre?: JreSpec;
  /** Platforms as `parsePlatform` returns them, sorted. Defaults to the engine's own. */
  platforms?: PlatformName[];
  layers: 'auto' | LayerSpec[];
  /** Task to run before packing; false for none. Defaults to the task `build`, when it exists. */
  build?: string | false;
  entrypoint?: string[];
  cmd?: string[];
  /** Ports such as `8080/tcp`. */
  expose: string[];
  env: Record<string, string>;
  user?: string;
  workdir?: string;
  /** Absolute folders of the image that its user may write to. */
  writable?: string[];
  labels: Record<string, string>;
  health?: HealthSpec;
  smoke?: SmokeSpec;
}

/** Smoke test: the started image is healthy by exactly one of `port`, `cmd` and `until`. */
export interface SmokeSpec {
  port?: number;
  cmd?: string[];
  until?: 'exit' | 'health';
  /** Time limit in seconds. */
  timeout: number;
  env: Record<string, string>;
  /** Names of services. */
  services: string[];
  readOnly: boolean;
}

/** Java runtime that the image gets from the JDK. */
export interface JreSpec {
  kind: string;
  /** Modules of the JDK in addition to those that the application refers to. */
  modules: string[];
}

export interface LayerSpec {
  name: string;
  /** Paths in the workspace. */
  from: string[];
  include: string[];
  exclude: string[];
  /** Absolute folder in the image. */
  to: string;
}

/** Health check; times are seconds. */
export interface HealthSpec {
  cmd: string[];
  interval?: number;
  timeout?: number;
  retries?: number;
  startPeriod?: number;
}

/** Delivery of releases: what deployers must know, and the names that point at releases. */
export interface DeliverSpec {
  service: DeliverServiceSpec;
  channels: Record<string, ChannelSpec>;
  targets: Record<string, DeliverTargetSpec>;
}

/** Description of the service that runs the image. What is left out comes from `image`. */
export interface DeliverServiceSpec {
  name?: string;
  port?: number;
  /** Path of a URL that answers 200 while the service is healthy. */
  health?: string;
  env: Record<string, string>;
  /** Number of processors, also parts. */
  cpu?: number;
  /** Memory in bytes. */
  memory?: number;
  args?: string[];
  volumes: DeliverVolume[];
}

export interface DeliverVolume {
  /** Name of a volume, or an absolute folder of the machine. */
  from: string;
  /** Absolute path in the container. */
  to: string;
  readOnly: boolean;
}

/** Channel: a name that points at a release. */
export interface ChannelSpec {
  /** Channel that must hold a release first. */
  after?: string;
  /** Seconds for which it must have held the release. */
  soak?: number;
  /** Tag of the registry that follows the channel. */
  tag?: string;
}

/** Target of a delivery. Each kind checks its own options. */
export interface DeliverTargetSpec {
  kind: string;
  /** Path of a file or folder, relative to the repository. */
  template?: string;
  options: Record<string, unknown>;
}

export type PathKey = string | number;

/** Position, 1-based, in UTF-16 units as editors count. */
export interface Position {
  line: number;
  column: number;
}

/** Spec that was read, with the positions of its keys. */
export interface SpecFile {
  spec: Spec;
  /** Name that messages use for it. */
  file: string;
  /** Major in its file: lower than `spec.gbuild` when it was migrated while reading. */
  major: number;
  /** Sentences, each starting with `file:line:column`. */
  warnings: string[];
  /** Returns the position of a value; a default has none. */
  locate(path: readonly PathKey[]): Position | undefined;
}

/** Name such as `linux/amd64`. */
export type PlatformName = string;
