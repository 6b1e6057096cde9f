import semver from 'semver';
import { GbuildError } from '../errors.ts';
import type { ToolchainData } from './catalog-schema.ts';

/**
 * The exact version that a range means: the highest known one that every platform has, else the highest that any has;
 * an exact version is taken as it is where the toolchain allows any. Throws 'toolchain-unknown' naming the nearest ones.
 */
export function chooseVersion(data: ToolchainData, asked: string): string {
  const range = asked === '*' ? data.default : parseRange(data, asked);
  const exact = semver.valid(range);
  const lists = Object.values(data.versions);
  const everywhere = lists.reduce((kept, list) => kept.filter((version) => list.includes(version)));
  const anywhere = [...new Set(lists.flat())];
  const chosen = semver.maxSatisfying(everywhere, range) ?? semver.maxSatisfying(anywhere, range);
  if (chosen !== null) return chosen;
  if (exact !== null && data.anyVersion) return exact;
  throw noFittingVersion(data, asked, range, anywhere);
}

/** The semver range that a text such as `22.x`, `v22.1.0` or `lts/jod` means; throws 'toolchain-unknown' for others. */
export function parseRange(data: ToolchainData, asked: string): string {
  const text = data.aliases[asked.trim().toLowerCase()] ?? asked.trim();
  const range = semver.valid(text) ?? semver.validRange(text);
  if (range !== null) return range;
  throw new GbuildError('toolchain-unknown', `toolchain: "${asked}" is no version or range of ${data.name}`, {
    suggestions: [`toolchain: ${data.name}@${data.default}`],
    facts: { name: data.name, asked },
  });
}

function noFittingVersion(data: ToolchainData, asked: string, range: string, known: string[]): GbuildError {
  const nearest = nearestVersions(range, known);
  return new GbuildError(
    'toolchain-unknown',
    `toolchain: no known version of ${data.name} fits ${asked}; the nearest are ${nearest.join(' and ')}`,
    {
      suggestions: nearest.map((version) => `toolchain: ${data.name}@${version}`),
      facts: { name: data.name, asked, nearest },
    },
  );
}

/** The known versions right below and above what was asked for. */
function nearestVersions(range: string, known: string[]): string[] {
  const wanted = semver.minVersion(range);
  const sorted = semver.sort([...known]);
  if (wanted === null) return sorted.slice(-2);
  const below = sorted.filter((version) => semver.lt(version, wanted));
  const above = sorted.filter((version) => semver.gt(version, wanted));
  return above.length === 0 ? below.slice(-2) : [...below.slice(-1), ...above.slice(0, 1)];
}
