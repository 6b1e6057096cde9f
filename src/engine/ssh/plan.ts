import type { SshTarget } from './target.ts';

/** Settings that `ssh -G` reports for this host, with keys in lower case. */
export type SshSettings = ReadonlyMap<string, string>;

export type ForwardWords = (command: 'forward' | 'cancel', forward: SshForward) => string[];

/** Arguments of the ssh processes for one engine. */
export interface SshPlan {
  /** Opens the shared connection and goes to the background; undefined where it cannot be shared. */
  master?: string[];
  /** Checks whether the connection is already open; only for a connection of the user's own. */
  check?: string[];
  /** Opens one stream to the engine. */
  channel: string[];
  /** Opens (`forward`) or cancels (`cancel`) a port of this machine that leads to one over there. */
  forward?: ForwardWords;
  /** Closes the connection; undefined for a connection of the user's own. */
  exit?: string[];
}

/** Port of this machine's loopback address that forwards to one of the other end's. */
export interface SshForward {
  localPort: number;
  remotePort: number;
}

export interface SshChoice {
  target: SshTarget;
  settings: SshSettings;
  /** Socket for gbuild's own shared connection; undefined where ssh cannot share one. */
  controlPath: string | undefined;
  /** Whether a person can type a password or compare a fingerprint. */
  mayAsk: boolean;
}

/** Seconds that the connection outlives its last stream, in case gbuild dies. */
const persistSeconds = 15;

/**
 * Plans the ssh calls. All of the user's configuration applies, except for settings that would break a stream of bytes.
 * A connection that the user shares already (ControlPath with ControlMaster and ControlPersist) is used; otherwise
 * gbuild opens its own.
 */
export function planSsh({ target, settings, controlPath, mayAsk }: SshChoice): SshPlan {
  const common = [...plain, ...limits(settings), ...placeOf(target)];
  const quiet = option('BatchMode', 'yes');
  const promptOptions = mayAsk ? [] : quiet;
  const end = ['--', target.host];
  const remote = [...end, dialCommand(target)];
  if (controlPath === undefined) return { channel: [...common, ...quiet, ...remote] };
  const share = option('ControlMaster', 'no');
  if (sharesByItself(settings)) {
    return {
      check: [...common, '-O', 'check', ...end],
      master: [...common, ...promptOptions, '-f', '-N', ...end],
      channel: [...common, ...quiet, ...share, ...remote],
      forward: planForward(settings.get('controlpath')!, end),
    };
  }
  const own = option('ControlPath', controlPath);
  const persist = [...option('ControlMaster', 'yes'), ...option('ControlPersist', String(persistSeconds))];
  return {
    master: [...common, ...promptOptions, ...own, ...persist, '-f', '-N', ...end],
    channel: [...common, ...quiet, ...own, ...share, ...remote],
    forward: planForward(controlPath, end),
    exit: [...common, ...own, '-O', 'exit', ...end],
  };
}

/** Plans a forward without any configuration: its forwardings would be requested again. */
function planForward(controlPath: string, end: string[]): ForwardWords {
  return (command, { localPort, remotePort }) => [
    ...['-F', 'none', '-T', ...option('LogLevel', 'ERROR'), ...option('BatchMode', 'yes'), '-S', controlPath],
    ...['-O', command, '-L', `127.0.0.1:${localPort}:127.0.0.1:${remotePort}`, ...end],
  ];
}

/** Returns the arguments that read the settings. */
export function planSettings(target: SshTarget): string[] {
  return ['-T', ...placeOf(target), '-G', '--', target.host];
}

/** Parses `key value` lines; the first value of a key wins. */
export function parseSettings(text: string): SshSettings {
  const settings = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key = '', value = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (key !== '' && !settings.has(key.toLowerCase())) settings.set(key.toLowerCase(), value);
  }
  return settings;
}

function sharesByItself(settings: SshSettings): boolean {
  const path = settings.get('controlpath') ?? 'none';
  const persists = !['no', 'false', undefined].includes(settings.get('controlpersist'));
  return path !== 'none' && persists && ['auto', 'autoask'].includes(settings.get('controlmaster') ?? '');
}

/**
 * Options against a terminal, forwardings, and a command of the configuration: they would mix with the bytes or fail.
 */
const plain = [
  '-T',
  ...option('LogLevel', 'ERROR'),
  ...option('ClearAllForwardings', 'yes'),
  ...option('PermitLocalCommand', 'no'),
  ...option('RemoteCommand', 'none'),
];

/** Returns the limits that end a dead connection; the user's own settings take precedence. */
function limits(settings: SshSettings): string[] {
  return [
    ...(['none', undefined].includes(settings.get('connecttimeout')) ? option('ConnectTimeout', '10') : []),
    ...(settings.get('serveraliveinterval') === '0' ? option('ServerAliveInterval', '15') : []),
  ];
}

function placeOf({ user, port }: SshTarget): string[] {
  return [...(user === undefined ? [] : ['-l', user]), ...(port === undefined ? [] : ['-p', String(port)])];
}

function option(name: string, value: string): string[] {
  return ['-o', `${name}=${value}`];
}

/**
 * Returns the remote command. The engine's own client passes bytes between its socket and this stream; podman has the
 * same command.
 */
function dialCommand({ socketPath }: SshTarget): string {
  const [docker, podman] =
    socketPath === undefined ? ['', ''] : [` -H unix://${socketPath}`, ` --url unix://${socketPath}`];
  return `sh -c 'command -v docker >/dev/null 2>&1 && exec docker${docker} system dial-stdio; exec podman${podman} system dial-stdio'`;
}
