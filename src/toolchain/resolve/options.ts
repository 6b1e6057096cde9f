import semver from 'semver';
import { GbuildError } from '../../errors.ts';
import type { OptionValue } from '../../spec/types.ts';
import type { ToolchainData } from '../catalog/catalog-schema.ts';
import type { OptionRule } from '../catalog/rule-schema.ts';
import { satisfies } from './satisfies.ts';

/** Checks a request's options against the toolchain's. Throws one 'spec-invalid' that lists every mistake. */
export function readOptions(data: ToolchainData, asked: Record<string, OptionValue>): Record<string, OptionValue> {
  const mistakes: string[] = [];
  for (const [name, value] of Object.entries(asked)) {
    const rule = data.options[name];
    const known = Object.keys(data.options).join(', ') || 'none';
    if (rule === undefined) mistakes.push(`toolchain.${name}: ${data.name} has no such option (it has: ${known})`);
    else if (!isFitting(rule, value)) {
      mistakes.push(`toolchain.${name}: expected ${expectation(rule)}, found ${JSON.stringify(value)}`);
    }
  }
  if (mistakes.length > 0) throw new GbuildError('spec-invalid', mistakes.join('\n'), { facts: { mistakes } });
  return Object.fromEntries(Object.entries(asked).sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Returns the options for a build: the requested ones, and the toolchain's defaults for this version. */
export function withDefaults(
  data: ToolchainData,
  version: string,
  asked: Record<string, OptionValue>,
): Record<string, OptionValue> {
  const defaults = Object.entries(data.options).flatMap(([name, { default: rule }]) => {
    const value = rule === undefined ? undefined : byVersion(rule, version);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(defaults), ...asked };
}

/** Fills in `{version}` and `{option}`; an option without a value is empty. */
export function fillTemplate(template: string, version: string, options: Record<string, OptionValue>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'version' ? version : optionText(options[name] ?? ''),
  );
}

/** Chooses the value of a rule for a version: the rule itself, or the value of the first range that fits. */
export function byVersion<T>(rule: T | Record<string, T>, version: string): T | undefined {
  if (typeof rule !== 'object' || rule === null) return rule;
  return Object.entries(rule as Record<string, T>).find(([range]) => satisfies(version, range))?.[1];
}

function optionText(value: OptionValue): string {
  return Array.isArray(value) ? [...value].sort().join(' ') : String(value);
}

/** Pattern of a package's name (Debian Policy 5.6.1); the name reaches a shell's command line. */
const packageName = /^[a-z0-9][a-z0-9+.-]+$/;

function isFitting(rule: OptionRule, value: OptionValue): boolean {
  if (rule.values !== undefined) return !Array.isArray(value) && rule.values.includes(String(value));
  if (rule.type === 'packages') return Array.isArray(value) && value.every((name) => packageName.test(name));
  if (rule.type === 'version') return typeof value === 'string' && semver.valid(value) === value;
  return typeof value === rule.type;
}

function expectation(rule: OptionRule): string {
  if (rule.values !== undefined) return `one of ${rule.values.join(', ')}`;
  if (rule.type === 'packages') return 'a list of names of Debian packages';
  return rule.type === 'version' ? 'an exact version such as "10.9.9"' : `a ${rule.type}`;
}
