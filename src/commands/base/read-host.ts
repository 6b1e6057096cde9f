import { homedir, hostname, userInfo } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Host } from '../../host.ts';

/** Reads the machine and the caller once; all lower layers get them as a value. */
export function readHost(directory?: string): Host {
  const env = withAbsolutePath(process.env);
  const homeDir = env.HOME || homedir();
  return {
    env,
    cwd: directory ?? process.cwd(),
    platform: process.platform,
    arch: process.arch,
    hostname: hostname(),
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    userName: readUserName(env),
    homeDir,
    cacheDir: placeOf(env, homeDir, 'XDG_CACHE_HOME', '.cache', 'Library/Caches'),
    configDir: placeOf(env, homeDir, 'XDG_CONFIG_HOME', '.config', 'Library/Preferences'),
    dataDir: placeOf(env, homeDir, 'XDG_DATA_HOME', '.local/share', 'Library/Application Support'),
    stateDir: placeOf(env, homeDir, 'XDG_STATE_HOME', '.local/state', 'Library/Logs'),
    startedAt: Date.now(),
    isCI: isSet(env.CI),
    isTerminal: Boolean(process.stdin.isTTY && process.stdout.isTTY && process.stderr.isTTY),
  };
}

/**
 * Removes relative and empty entries of PATH: a repository fills the current folder, and programs in it must not be
 * found.
 */
function withAbsolutePath(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (env.PATH === undefined) return env;
  const entries = env.PATH.split(delimiter).filter((entry) => isAbsolute(entry));
  return { ...env, PATH: entries.join(delimiter) };
}

/** Whether a variable is set and does not mean "no". */
function isSet(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false', 'no'].includes(value.toLowerCase());
}

/**
 * Returns the XDG folder where it is an absolute path (the specification ignores others), else the platform's default.
 */
function placeOf(env: NodeJS.ProcessEnv, homeDir: string, variable: string, linux: string, mac: string): string {
  const base = env[variable];
  if (base?.startsWith('/')) return join(base, 'gbuild');
  return join(homeDir, process.platform === 'darwin' ? mac : linux, 'gbuild');
}

/** Reads the user's name. A uid without a passwd entry is common in CI containers: it gets gbuild's own name. */
function readUserName(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return env.USER || 'gbuild';
  }
}
