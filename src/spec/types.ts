/** `gbuild.yml` as the rest of gbuild reads it: checked, units turned into numbers, every default filled in. */
export interface Spec {
  gbuild: 1;
  /** Repository of the image, without registry and tag: `hello`, `acme/hello`. */
  name: string;
  /** `HOST` or `HOST:PORT`. */
  registry?: string;
  toolchain: ToolchainRequest;
  /** Folders of the repository or git addresses, asked before gbuild's own catalog. */
  catalogs: string[];
  /** Literal variables of every task. Records here have no prototype: looking up `toString` finds nothing. */
  env: Record<string, string>;
  /** Names or globs (`AWS_*`) of the caller's variables that tasks may see. */
  passEnv: string[];
  /** By name: where the value comes from when a task needs it. */
  secrets: Record<string, SecretSpec>;
  caches: 'auto' | CacheSpec[];
  resources: ResourcesSpec;
  network: NetworkName;
  sync: SyncSpec;
  /** Services that run during tasks, by the name that tasks reach them by. */
  services: Record<string, ServiceSpec>;
  tasks: Record<string, TaskSpec>;
  image: ImageSpec;
}

/** Toolchain that the repository builds in. `request` is what the file says, in one line, for messages and the lock. */
export type ToolchainRequest = CatalogToolchain | ImageToolchain | FolderToolchain;

export type OptionValue = string | number | boolean | string[];

export interface CatalogToolchain {
  kind: 'catalog';
  request: string;
  name: string;
  /** A semver range; `*` where the file names no version. */
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
  /** Relative to the repository, with `/`, without `./`; `.` is the repository itself. */
  path: string;
}

/** Exactly one of them. */
export interface SecretSpec {
  /** A variable of the caller's. */
  env?: string;
  /** A file of the host's: absolute, below `~/`, or relative to the repository. */
  file?: string;
  /** A program of the host's and its arguments; what it prints, less a line end, is the value. */
  command?: string[];
}

export interface CacheSpec {
  name: string;
  /** An absolute path in the container. */
  path: string;
  env?: Record<string, string>;
}

export interface ResourcesSpec {
  cpus?: number;
  /** Bytes. */
  memory?: number;
  pids: number;
}

/** Files that go to an engine that does not see the workspace. */
export interface SyncSpec {
  /** Globs of paths that git ignores and tasks need all the same; they come back, too. */
  include: string[];
}

export type NetworkName = 'bridge' | 'none' | 'host';

/** A port of a container that the engine makes reachable from outside. */
export interface PublishedPort {
  port: number;
  protocol: 'tcp' | 'udp';
  /** Port of the engine; one that is free when left out. */
  enginePort?: number;
}

export interface TaskSpec {
  /** A text for a shell, or one command as a list of words. */
  run: string | string[];
  needs: string[];
  env: Record<string, string>;
  /** Names of the secrets that it gets. */
  secrets: string[];
  ports: PublishedPort[];
  /** Names of the services that it needs. */
  services: string[];
  /** Seconds. */
  timeout?: number;
  /** Globs in the workspace. */
  reports: string[];
  /** Globs of its test files, which shards share. */
  split: string[];
  /** Relative to the workspace; `.` is the workspace itself. */
  workdir: string;
}

/** An image with, maybe, another command than its own; or a command in the image to build in, as tasks have it. */
export interface ServiceSpec {
  image?: string;
  /** Only with `image`. */
  command?: string[];
  /** Only, and always, without `image`. */
  run?: string | string[];
  env: Record<string, string>;
  ports: PublishedPort[];
  ready: ReadySpec;
}

/** At most one of `cmd` and `port`. */
export interface ReadySpec {
  /** Run in its container: exit code 0 says that it is. */
  cmd?: string[];
  /** It takes connections there. */
  port?: number;
  /** Seconds. */
  timeout: number;
}

export interface ImageSpec {
  base: string;
  /** Not said: the one of the toolchain's runtime image. */
  jre?: JreSpec;
  /** As `parsePlatform` spells them, sorted. Not said: the engine's own. */
  platforms?: PlatformName[];
  layers: 'auto' | LayerSpec[];
  /** The task to run before packing; false: none. Not said: the task `build`, when there is one. */
  build?: string | false;
  entrypoint?: string[];
  cmd?: string[];
  /** `8080/tcp`. */
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

/** When an image that was started on trial is well: exactly one of `port`, `cmd` and `until`. */
export interface SmokeSpec {
  port?: number;
  cmd?: string[];
  until?: 'exit' | 'health';
  /** Seconds. */
  timeout: number;
  env: Record<string, string>;
  /** Names. */
  services: string[];
  readOnly: boolean;
}

/** A Java runtime of the image's own. */
export interface JreSpec {
  kind: string;
  /** Modules of the JDK that it has besides those that the application refers to. */
  modules: string[];
}

export interface LayerSpec {
  name: string;
  /** Paths in the workspace. */
  from: string[];
  include: string[];
  exclude: string[];
  /** An absolute folder in the image. */
  to: string;
}

/** Times are seconds. */
export interface HealthSpec {
  cmd: string[];
  interval?: number;
  timeout?: number;
  retries?: number;
  startPeriod?: number;
}

export type PathKey = string | number;

/** 1-based, in UTF-16 units as editors count. */
export interface Position {
  line: number;
  column: number;
}

/** A spec that was read, and where each of its keys stands. */
export interface SpecFile {
  spec: Spec;
  /** The name it was read by. */
  file: string;
  /** The major its file says: lower than `spec.gbuild` when it was migrated while reading. */
  major: number;
  /** Sentences, each starting with `file:line:column`. */
  warnings: string[];
  /** Where a value stands; a value that was filled in has no place. */
  locate(path: readonly PathKey[]): Position | undefined;
}

/** `linux/amd64`. */
export type PlatformName = string;
