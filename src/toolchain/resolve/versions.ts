import semver from 'semver';
import { GbuildError } from '../../errors.ts';
import { hasFourNumbers, readExactVersion, readVersionRange } from '../../spec/schema/version-text.ts';
import type { OptionValue } from '../../spec/types.ts';
import type { ToolchainData } from '../catalog/catalog-schema.ts';
import { byVersion } from './options.ts';
import { satisfies } from './satisfies.ts';

/**
 * Chooses the exact version that a range means: the highest known one that goes with the options. A long-term line
 * takes precedence over others, and a version for every platform over one for some. An exact version outside of the
 * list is accepted where the toolchain allows it. Throws 'toolchain-unknown' with the nearest ones.
 */
export function chooseVersion(data: ToolchainData, asked: string, options: Record<string, OptionValue> = {}): string {
  const range = asked === '*' ? data.default : parseRange(data, asked);
  const exact = readExact(data, range);
  const lists = Object.values(data.versions);
  const everywhere = lists.reduce((kept, list) => kept.filter((version) => list.includes(version)));
  const anywhere = [...new Set(lists.flat())];
  const fits = (version: string) => findMisfit(data, version, options) === undefined;
  const isLongTerm = (version: string) => satisfies(semverOf(version), data.longTerm ?? '*');
  for (const versions of [everywhere.filter(isLongTerm), anywhere.filter(isLongTerm), everywhere, anywhere]) {
    const chosen = highest(versions.filter(fits), range);
    if (chosen !== undefined) return chosen;
  }
  const other = exact !== null && isAllowed(data, exact) ? exact : undefined;
  if (other !== undefined && fits(other)) return other;
  const known = highest(anywhere, range) ?? other;
  if (known !== undefined) throw noFittingCombination(data, asked, known, options);
  throw noFittingVersion(data, asked, range, anywhere);
}

/** Whether a text is an exact version of a toolchain: a listed one, or any where it accepts any. */
export function isExactVersion(data: ToolchainData, version: string): boolean {
  return Object.values(data.versions).some((list) => list.includes(version)) || readExact(data, version) !== null;
}

/** Whether an exact version outside of the list is allowed. */
function isAllowed({ anyVersion }: ToolchainData, version: string): boolean {
  return typeof anyVersion === 'string' ? satisfies(semverOf(version), anyVersion) : anyVersion;
}

/** Reads an exact version; four numbers are accepted only where the toolchain's own versions have four. */
function readExact(data: ToolchainData, text: string): string | null {
  if (!hasFourNumbers(text)) return semver.valid(text);
  return Object.values(data.versions).flat().some(hasFourNumbers) ? text : null;
}

/** Parses a text such as `22.x`, `v22.1.0` or `lts/jod` to a semver range. Throws 'toolchain-unknown' for others. */
export function parseRange(data: ToolchainData, asked: string): string {
  const text = data.aliases[asked.trim().toLowerCase()] ?? asked.trim();
  const range = readVersionRange(text);
  if (range !== null) return range;
  throw new GbuildError('toolchain-unknown', `toolchain: "${asked}" is not a version or range of ${data.name}`, {
    suggestions: [`toolchain: ${data.name}@${data.default}`],
    facts: { name: data.name, asked },
  });
}

const semverTexts = new Map<string, string>();

/** Returns a version that semver can compare: a short one (`21`, `3.1`) means the first of its line. */
export function semverOf(version: string): string {
  const known = semverTexts.get(version);
  if (known !== undefined) return known;
  const text = semver.valid(version) ?? semver.coerce(version)?.version ?? '0.0.0';
  semverTexts.set(version, text);
  return text;
}

function highest(versions: string[], range: string): string | undefined {
  if (versions.includes(range)) return range;
  const fitting = versions.filter((version) => satisfies(semverOf(version), range));
  return fitting.sort(compareVersions).at(-1);
}

/** Compares by semver, then by the fourth number. */
export function compareVersions(left: string, right: string): number {
  const order = semver.compare(semverOf(left), semverOf(right));
  return order === 0 ? left.localeCompare(right, 'en', { numeric: true }) : order;
}

/** Finds the option whose value does not go with a version. */
function findMisfit(data: ToolchainData, version: string, options: Record<string, OptionValue>): string | undefined {
  return Object.entries(data.options).find(([name, rule]) => {
    const value = options[name];
    const range = rule.fits === undefined ? undefined : byVersion(rule.fits, semverOf(version));
    return value !== undefined && range !== undefined && !satisfies(semverOf(String(value)), range);
  })?.[0];
}

function noFittingCombination(
  data: ToolchainData,
  asked: string,
  version: string,
  options: Record<string, OptionValue>,
): GbuildError {
  const name = findMisfit(data, version, options)!;
  const rule = data.options[name]!;
  const range = byVersion(rule.fits!, semverOf(version))!;
  const fits = (value: string) => satisfies(semverOf(value), range);
  const values = rule.values?.filter(fits) ?? rule.known.filter(fits).sort(compareVersions).slice(-1);
  const all = [...new Set(Object.values(data.versions).flat())];
  const others = all.filter((each) => findMisfit(data, each, options) === undefined);
  const nearest = nearestVersions(version, others);
  const ways = [
    ...(values.length > 0 ? [`${data.name} ${version} with ${name} ${values.join(' or ')}`] : []),
    ...nearest.map((each) => `${data.name} ${each} with ${name} ${options[name]}`),
  ];
  return new GbuildError(
    'toolchain-unknown',
    `toolchain: no version of ${data.name} that fits ${asked} goes with ${name} ${options[name]}; the nearest are ${ways.join(', ')}`,
    {
      suggestions: [
        ...values.slice(-1).map((value) => `toolchain: {name: ${data.name}, version: '${asked}', ${name}: ${value}}`),
        ...nearest
          .slice(-1)
          .map((each) => `toolchain: {name: ${data.name}, version: ${each}, ${name}: ${options[name]}}`),
      ],
      facts: { name: data.name, asked, option: name, value: options[name], values, versions: nearest },
    },
  );
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

/** Returns the known versions directly below and above the requested one. */
function nearestVersions(range: string, known: string[]): string[] {
  const wanted = readExactVersion(range) ?? semver.minVersion(range)?.version;
  const sorted = [...known].sort(compareVersions);
  if (wanted === undefined) return sorted.slice(-2);
  const below = sorted.filter((version) => compareVersions(version, wanted) < 0);
  const above = sorted.filter((version) => compareVersions(version, wanted) > 0);
  return above.length === 0 ? below.slice(-2) : [...below.slice(-1), ...above.slice(0, 1)];
}
