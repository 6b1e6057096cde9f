import semver from 'semver';
import { GbuildError } from '../../errors.ts';
import { readExactVersion } from '../../spec/schema/version-text.ts';
import type { OptionValue } from '../../spec/types.ts';
import type { ToolchainData } from '../catalog/catalog-schema.ts';
import type { Requirement } from '../catalog/rule-schema.ts';
import { satisfies } from '../resolve/satisfies.ts';

import { chooseVersion, compareVersions, semverOf } from '../resolve/versions.ts';
import type { Chosen } from './facts.ts';
import { type Asked, readAsked } from './read-asked.ts';

/** Value found in the files of a repository, with its reason. */
export interface Found {
  value: string;
  because: string;
  /** Whether it differs from what a file names: `because` has the reason. */
  isOther?: boolean;
}

interface Required extends Asked {
  ranges: string[];
  remedy: string | undefined;
  alsoBy: string | undefined;
}

/**
 * Finds the version that a repository's files request. The first file that names one decides, within the requirements
 * of the repository's tools. Where the catalog lacks that version, the nearest newer one is chosen, with the reason in
 * `because`. Undefined where no file names any. Throws 'toolchain-unknown' where no version fits.
 */
export function findVersion(rootDir: string, data: ToolchainData, chosen: Chosen = {}): Found | undefined {
  const required = readRequired(rootDir, data, chosen);
  const all = data.detect.version.flatMap((fact) => readAsked(rootDir, data, fact, chosen) ?? []);
  const asked = all.find(({ ranges }) => ranges !== undefined);
  const allowed = listAllowed(data, required);
  if (required.length > 0 && allowed.length === 0) throw nothingServes(data, findHardest(data, required), required);
  if (asked !== undefined) return findAsked(data, asked, required, allowed);
  if (required.length > 0) return findRequired(data, required, allowed);
  const [unreadable] = all;
  if (unreadable === undefined) return undefined;
  const { source, shown } = unreadable;
  const because = `${source} says ${shown}, which is not a version of ${data.title} that gbuild knows: ${data.default} is taken`;
  return { value: data.default, because, isOther: true };
}

/** Requirement of the repository's tools that the spec's version does not fit. */
export interface Unmet {
  because: string;
  /** Text to write instead, where the tool is known to refuse any other version. */
  remedy: string | undefined;
}

export function findUnmet(
  rootDir: string,
  data: ToolchainData,
  version: string,
  { chosen, options = {} }: { chosen: Chosen; options?: Record<string, OptionValue> | undefined },
): Unmet[] {
  const release = releaseOf(data, version);
  return readRequired(rootDir, data, chosen)
    .filter(({ ranges, alsoBy = '' }) => !fitsAll(data, version, ranges) && options[alsoBy] === undefined)
    .map(({ source, shown, remedy }) => ({
      because: `${source} asks for ${data.title} ${shown}, and gbuild.yml for ${release}`,
      remedy: remedy === undefined ? undefined : fillRemedy(remedy, release),
    }));
}

function readRequired(rootDir: string, data: ToolchainData, chosen: Chosen): Required[] {
  return data.detect.requires.flatMap((fact: Requirement) => {
    const asked = readAsked(rootDir, data, fact, chosen);
    if (asked?.ranges === undefined) return [];
    return [{ ...asked, ranges: asked.ranges, remedy: fact.remedy, alsoBy: fact.alsoBy }];
  });
}

function findAsked(data: ToolchainData, asked: Asked, required: Required[], allowed: string[]): Found {
  const { source, shown, text, ranges = [] } = asked;
  const because = `${source} asks for ${shown}`;
  const isAnother = (each: Required) => each.source !== source || each.shown !== shown;
  const served = text === undefined ? undefined : findServed(data, text);
  if (text !== undefined && served !== undefined && fitsAll(data, served, rangesOf(required)))
    return { value: text, because };
  const inside = chooseBest(
    data,
    allowed.filter((version) => fitsAll(data, version, ranges)),
  );
  if (inside !== undefined) {
    const others = required.filter(isAnother).map((each) => `${each.source} for ${each.shown}`);
    return { value: lineOf(inside), because: [because, ...others].join(', ') };
  }
  const nearest = chooseNearest(data, allowed, ranges);
  const hindrance = required.find((each) => isAnother(each) && !fitsAny(data, ranges, each.ranges));
  if (nearest === undefined) throw nothingServes(data, asked, required);
  const why =
    served === undefined && hindrance === undefined
      ? 'which the catalog does not have'
      : `and ${hindrance?.source ?? source} for ${hindrance?.shown ?? shown}`;
  const value = lineOf(nearest);
  const taken = `${data.name} ${chooseVersion(data, value)}`;
  return { value, because: `${because}, ${why}: ${taken} is taken, the nearest that is not older`, isOther: true };
}

function findRequired(data: ToolchainData, required: Required[], allowed: string[]): Found {
  const because = required.map(({ source, shown }) => `${source} asks for ${shown}`).join(', ');
  if (allowed.includes(chooseVersion(data, data.default))) return { value: data.default, because };
  const best = chooseBest(data, allowed);
  return { value: best === undefined ? data.default : lineOf(best), because };
}

/**
 * Lists the versions that fit all requirements: known ones, and a requested exact one where the toolchain accepts any.
 */
function listAllowed(data: ToolchainData, required: Required[]): string[] {
  const ranges = rangesOf(required);
  const exact = ranges.filter((range) => readExactVersion(range) !== null && findServed(data, range) === range);
  const all = [...new Set([...knownVersions(data), ...exact])].sort(compareVersions);
  return all.filter((version) => fitsAll(data, version, ranges));
}

/** Finds the requirement that no known version fits, else the first. */
function findHardest(data: ToolchainData, required: Required[]): Required {
  return required.find(({ ranges }) => !fitsAny(data, ranges, [])) ?? required[0]!;
}

function rangesOf(required: Required[]): string[] {
  return required.flatMap(({ ranges }) => ranges);
}

function knownVersions(data: ToolchainData): string[] {
  return [...new Set(Object.values(data.versions).flat())].sort(compareVersions);
}

/** Returns the version that a range of gbuild.yml means; undefined where the catalog has none. */
function findServed(data: ToolchainData, range: string): string | undefined {
  try {
    return chooseVersion(data, range);
  } catch {
    return undefined;
  }
}

/**
 * Whether a version fits all ranges. A short version means the release in the data and newer ones of its line, else
 * every release of the line.
 */
function fitsAll(data: ToolchainData, version: string, ranges: string[]): boolean {
  const release = data.releases[version];
  const line = release === undefined ? version : `~${release}`;
  const isLine = release !== undefined || /^\d+(?:\.\d+)?$/.test(version);
  return ranges.every((range) =>
    isLine ? semver.intersects(line, range) : satisfies(semverOf(version), range, { includePrerelease: true }),
  );
}

function fitsAny(data: ToolchainData, ranges: string[], others: string[]): boolean {
  return knownVersions(data).some((version) => fitsAll(data, version, [...ranges, ...others]));
}

function releaseOf({ releases }: ToolchainData, version: string): string {
  return releases[version] ?? version;
}

/** Chooses the newest, of a long-term line where there is one. */
function chooseBest({ longTerm = '*' }: ToolchainData, versions: string[]): string | undefined {
  return versions.filter((version) => satisfies(semverOf(version), longTerm)).at(-1) ?? versions.at(-1);
}

/** Chooses the oldest line that is not older than requested, a long-term one where there is one. */
function chooseNearest({ longTerm = '*' }: ToolchainData, versions: string[], ranges: string[]): string | undefined {
  const least = leastOf(ranges);
  const newer = versions.filter((version) => least !== undefined && compareVersions(version, least) >= 0);
  return newer.find((version) => satisfies(semverOf(version), longTerm)) ?? newer[0];
}

function leastOf(ranges: string[]): string | undefined {
  const all = ranges.flatMap((range) => readExactVersion(range) ?? semver.minVersion(range)?.version ?? []);
  return all.sort(compareVersions).at(-1);
}

/** Formats a version as a range of gbuild.yml: its line, where it is one release of many. */
function lineOf(version: string): string {
  return version.split('.').length < 3 ? version : `^${semver.major(semverOf(version))}`;
}

function nothingServes(data: ToolchainData, { source, shown, ranges = [] }: Asked, required: Required[]): GbuildError {
  const least = leastOf(ranges) ?? '0.0.0';
  const known = knownVersions(data);
  const nearest = known.find((version) => compareVersions(releaseOf(data, version), least) >= 0) ?? known.at(-1)!;
  const others = required.filter((each) => each.source !== source).map((each) => `, ${each.source} for ${each.shown}`);
  const remedy = required.find((each) => each.remedy !== undefined && each.source === source)?.remedy;
  const release = releaseOf(data, nearest);
  const isNear = satisfies(semverOf(release), `~${least}`);
  return new GbuildError(
    'toolchain-unknown',
    `${source} asks for ${data.title} ${shown}${others.join('')}, and the catalog does not have it; the nearest is ${release}`,
    {
      suggestions: [
        ...(remedy === undefined ? [] : [fillRemedy(remedy, isNear ? least : release)]),
        ...(remedy === undefined ? [`gbuild init --toolchain ${data.name}@${lineOf(nearest)}`] : []),
        'gbuild toolchain ls --available',
      ],
      facts: { name: data.name, source, asked: shown, nearest: release },
    },
  );
}

function fillRemedy(remedy: string, version: string): string {
  return remedy.replaceAll('{version}', version);
}
