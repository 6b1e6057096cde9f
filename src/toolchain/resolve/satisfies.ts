import semver, { type Range, type SemVer } from 'semver';

const ranges = new Map<string, Range | undefined>();
const versions = new Map<string, SemVer | null>();

/**
 * Tells whether a version is in a range, as semver.satisfies does. Each text is parsed once: a catalog has hundreds of versions,
 * and a command compares them with the same few ranges.
 */
export function satisfies(version: string, range: string, options: { includePrerelease?: boolean } = {}): boolean {
  const key = options.includePrerelease === true ? `${range}\n` : range;
  if (!ranges.has(key)) ranges.set(key, parseRange(range, options));
  const parsed = ranges.get(key);
  if (!versions.has(version)) versions.set(version, semver.parse(version));
  const known = versions.get(version);
  return parsed !== undefined && known != null && parsed.test(known);
}

function parseRange(range: string, options: { includePrerelease?: boolean }): Range | undefined {
  try {
    return new semver.Range(range, options);
  } catch {
    return undefined;
  }
}
