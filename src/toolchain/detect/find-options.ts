import semver from 'semver';
import type { OptionValue } from '../../spec/types.ts';
import type { ToolchainData } from '../catalog/catalog-schema.ts';
import type { OptionRule } from '../catalog/rule-schema.ts';
import { byVersion } from '../resolve/options.ts';
import { satisfies } from '../resolve/satisfies.ts';
import { chooseVersion, semverOf } from '../resolve/versions.ts';
import type { Chosen } from './facts.ts';
import { type Asked, readAsked } from './read-asked.ts';

/**
 * Finds the options that a repository's files decide. An option keeps the toolchain's own value where the files allow
 * it.
 */
export function findOptions(
  rootDir: string,
  data: ToolchainData,
  { range, chosen }: { range: string; chosen: Chosen },
): Record<string, OptionValue> {
  const found = Object.entries(data.options).flatMap(([name, rule]) => {
    const asked = rule.ask.flatMap((fact) => readAsked(rootDir, data, fact, chosen) ?? []);
    const value =
      rule.values === undefined
        ? chooseValue(asked, knownValues(rule), ownValue(data, name, range))
        : chooseListed(asked, rule, chosenVersion(data, range));
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

/**
 * Chooses the first exact value that every range allows, else the newest known one. Undefined where nothing is
 * requested, or the toolchain's own value fits.
 */
function chooseValue(asked: Asked[], known: string[], own: string | undefined): string | undefined {
  const texts = asked.flatMap(({ text }) => text ?? []);
  const exact = texts.filter((text) => semver.valid(text) === text);
  const ranges = asked.flatMap(({ ranges = [] }) => ranges).filter((range) => semver.valid(range) === null);
  const isAllowed = (value: string) => ranges.every((each) => satisfies(value, each));
  const named = exact.find(isAllowed) ?? exact[0];
  if (named !== undefined && isAllowed(named)) return named;
  if (ranges.length === 0 || (own !== undefined && isAllowed(own))) return undefined;
  return known.find(isAllowed) ?? semver.minVersion(ranges[0]!)?.version;
}

/** Chooses from a list the requested value, or the nearest newer one, among those that go with the version. */
function chooseListed(asked: Asked[], { values = [], fits = {} }: OptionRule, version: string | undefined) {
  const range = version === undefined ? undefined : byVersion(fits, semverOf(version));
  const least = asked.flatMap(({ ranges = [] }) => ranges.slice(0, 1).map((each) => semver.minVersion(each)))[0];
  if (least === undefined || least === null) return undefined;
  return values.find((value) => semver.gte(semverOf(value), least) && satisfies(semverOf(value), range ?? '*'));
}

/** Returns the version that the toolchain has where no file requests another. */
function ownValue(data: ToolchainData, name: string, range: string): string | undefined {
  const rule = Object.values(data.parts).find(({ option }) => option === name)?.version;
  const version = chosenVersion(data, range);
  return rule === undefined || version === undefined ? undefined : byVersion(rule, semverOf(version));
}

function chosenVersion(data: ToolchainData, range: string): string | undefined {
  try {
    return chooseVersion(data, range);
  } catch {
    return undefined;
  }
}

/** Lists the known versions of an option, newest first. */
function knownValues({ known, ask }: OptionRule): string[] {
  const all = [...known, ...ask.flatMap(({ value }) => value ?? [])].filter((value) => semver.valid(value));
  return [...new Set(all)].sort(semver.rcompare);
}
