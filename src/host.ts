/**
 * The machine and the caller, read once by the command layer and handed down as a value: below commands/ nobody reads
 * process.env, argv, the clock or a terminal.
 */
export interface Host {
  /** The caller's environment, unfiltered: pass on nothing of it without an allow-list. */
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  platform: NodeJS.Platform;
  arch: string;
  hostname: string;
  /** Numeric ids of the caller; 0 on platforms without them. */
  uid: number;
  gid: number;
  userName: string;
  homeDir: string;
  /** Downloads and other things that can be made again ($XDG_CACHE_HOME/gbuild or the platform's place). */
  cacheDir: string;
  /** The caller's own settings ($XDG_CONFIG_HOME/gbuild). */
  configDir: string;
  /** Things to keep: the release store ($XDG_DATA_HOME/gbuild). */
  dataDir: string;
  /** Logs and records of runs ($XDG_STATE_HOME/gbuild). */
  stateDir: string;
  isCI: boolean;
  /** The caller's clock when the command started, milliseconds since 1970. */
  startedAt: number;
  /** Both standard input and output are a terminal. */
  isTerminal: boolean;
}

/**
 * How a run is told to stop: `ask` fires at the first INT, TERM or HUP or at a time limit, `kill` at the second. Each
 * abort reason is a GbuildError saying why.
 */
export interface Stop {
  ask: AbortSignal;
  kill: AbortSignal;
}
