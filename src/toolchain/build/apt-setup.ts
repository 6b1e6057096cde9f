import type { Host, Stop } from '../../host.ts';
import { runProgram } from './program.ts';

/** Settings of the host's own apt for a Debian suite; empty on a host without apt. */
export interface AptSetup {
  /** Lines of a sources.list for the suite. */
  sources: string[];
  /** Lines of an apt.conf: the host's rules for a mirror's dates, and its proxies. */
  options: string[];
}

const format = ['ORIGIN', 'RELEASE', 'COMPONENT', 'REPO_URI', 'CREATED_BY'].map((name) => `$(${name})`).join('|');

const carriedOptions = ['Check-Valid-Until', 'Check-Date', 'http::Proxy', 'https::Proxy'];

/** Reads the Debian mirrors of the host's apt. Mirrors of the host's own suite serve other suites too. */
export async function readAptSetup(suite: string, context: { host: Host; stop: Stop }): Promise<AptSetup> {
  const targets = await runProgram('apt-get', ['indextargets', '--format', format], context);
  if (targets === undefined || targets.exitCode !== 0) return { sources: [], options: [] };
  const options = await runProgram('apt-config', ['dump', 'Acquire'], context);
  return { sources: parseSources(targets.stdout, suite), options: parseAptOptions(options?.stdout ?? '') };
}

/**
 * Converts `apt-get indextargets` to lines of a sources.list for a suite; repositories of other vendors are left out.
 */
export function parseSources(targets: string, suite: string): string[] {
  const lines = new Set<string>();
  for (const target of targets.split('\n')) {
    const [origin = '', release = '', component = '', uri = '', createdBy = ''] = target.split('|');
    const isDebian = origin === 'Debian' || (origin === '' && /\/debian(-security)?\/?$/.test(uri));
    if (createdBy !== 'Packages' || component !== 'main' || !isDebian || !/^https?:/.test(uri)) continue;
    const part = /^[a-z]+(-updates|-security)?$/.exec(release);
    if (part !== null) lines.add(`deb ${uri.replace(/\/$/, '')} ${suite}${part[1] ?? ''} main`);
  }
  return [...lines];
}

/** Filters the lines of `apt-config dump Acquire` that a build needs. */
export function parseAptOptions(dump: string): string[] {
  return dump
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => {
      const match = /^Acquire::(\S+) "(.+)";$/.exec(line);
      return match !== null && carriedOptions.includes(match[1] ?? '');
    });
}
