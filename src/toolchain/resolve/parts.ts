import { GbuildError } from '../../errors.ts';
import type { OptionValue } from '../../spec/types.ts';
import type { ToolchainData } from '../catalog/catalog-schema.ts';
import type { PartRule } from '../catalog/rule-schema.ts';
import { byVersion } from './options.ts';
import { satisfies } from './satisfies.ts';
import { semverOf } from './versions.ts';

/** Part with its exact version; its package depends on the engine's platform. */
export interface ResolvedPart {
  name: string;
  version: string;
  /** npm packages by platform; the key '*' means every platform. */
  packages: Record<string, string>;
}

/** Resolves the parts of a toolchain at a version, each to an exact version; options take precedence. */
export function resolveParts(
  data: ToolchainData,
  version: string,
  options: Record<string, OptionValue>,
): ResolvedPart[] {
  return Object.entries(data.parts).flatMap(([name, rule]) => {
    const exact = partVersion(data.name, name, rule, version, options);
    if (exact === undefined || !satisfies(exact, rule.fits ?? '*', { includePrerelease: true })) return [];
    return [{ name, version: exact, packages: typeof rule.npm === 'string' ? { '*': rule.npm } : rule.npm }];
  });
}

function partVersion(
  toolchain: string,
  part: string,
  rule: PartRule,
  version: string,
  options: Record<string, OptionValue>,
): string | undefined {
  const asked = rule.option === undefined ? undefined : options[rule.option];
  if (typeof asked === 'string' || rule.version === undefined) return asked as string | undefined;
  if (typeof rule.version === 'string') return rule.version.replaceAll('{version}', version);
  const fitting = byVersion(rule.version, semverOf(version));
  if (fitting !== undefined) return fitting;
  throw new GbuildError('toolchain-failed', `toolchain ${toolchain}: no version of ${part} is known for ${version}`);
}
