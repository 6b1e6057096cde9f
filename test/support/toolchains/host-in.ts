import type { Host } from '../../../src/host.ts';
import type { Progress } from '../../../src/reporter/progress.ts';
import { neverStop } from '../engines/run-io.ts';

/** Returns a host with caches in a folder of the test; its environment is this process's. */
export function hostIn(cacheDir: string, env: Record<string, string> = {}): Host {
  return {
    env: { ...process.env, ...env },
    cwd: cacheDir,
    platform: process.platform,
    arch: process.arch,
    hostname: 'test',
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    userName: 'test',
    homeDir: cacheDir,
    cacheDir,
    configDir: cacheDir,
    dataDir: cacheDir,
    stateDir: cacheDir,
    startedAt: 0,
    isCI: true,
    isTerminal: false,
  };
}

/** Returns a progress that records its texts. */
export function recordProgress(): Progress & { titles: string[]; notes: string[]; lines: string[] } {
  const titles: string[] = [];
  const notes: string[] = [];
  const lines: string[] = [];
  return {
    titles,
    notes,
    lines,
    note: (text) => void notes.push(text),
    warn: (text) => void notes.push(text),
    step: (title, work) => {
      titles.push(title);
      return work({ update: (text) => void lines.push(text), log: (line) => void lines.push(line) });
    },
  };
}

export { neverStop };
