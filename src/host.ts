/**
 * Machine and caller, read once by the command layer and passed down as a value. Below commands/ no code reads
 * process.env, argv, the clock or a terminal.
 */
export interface Host {
  /** Environment of the caller, unfiltered: pass nothing of it on without an allow-list. */
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
  /** Folder for downloads and other files that can be made again ($XDG_CACHE_HOME/gbuild or the platform's default). */
  cacheDir: string;
  /** Folder for the caller's own settings ($XDG_CONFIG_HOME/gbuild). */
  configDir: string;
  /** Folder for permanent data: the release store ($XDG_DATA_HOME/gbuild). */
  dataDir: string;
  /** Folder for logs and records of runs ($XDG_STATE_HOME/gbuild). */
  stateDir: string;
  isCI: boolean;
  /** Clock of the caller when the command started, in milliseconds since 1970. */
  startedAt: number;
  /** Whether both standard input and output are a terminal. */
  isTerminal: boolean;
}

/**
 * Signals that stop a run: `ask` fires at the first INT, TERM or HUP or at a time limit, `kill` at the second. Each
 * abort reason is a GbuildError with the cause.
 */
export interface Stop {
  ask: AbortSignal;
  kill: AbortSignal;
}
