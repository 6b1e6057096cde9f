import { GbuildError } from '../../errors.ts';
import type { ResolvedToolchain } from '../resolve/resolved.ts';

/** Pattern of apt's messages about an unknown package, or one that cannot be installed. */
const refusals = /^\s*E: (?:Unable to locate package (\S+)|Package '([^']+)' has no installation candidate)/gm;

/**
 * Explains a failed toolchain: 'spec-invalid' where apt does not know packages of the spec, else the failure itself.
 */
export function explainMissingPackages(thrown: unknown, { name, options, source }: ResolvedToolchain): unknown {
  if (!(thrown instanceof GbuildError) || source.kind !== 'catalog') return thrown;
  const unknown = [...thrown.message.matchAll(refusals)].map((match) => match[1] ?? match[2]!);
  const mistaken = Object.entries(options).flatMap(([key, named]) => {
    const missing = Array.isArray(named) ? named.filter((each) => unknown.includes(each)) : [];
    return missing.length === 0 ? [] : [{ key: `toolchain.${key}`, missing }];
  });
  const [first] = mistaken;
  if (first === undefined) return thrown;
  const { suite } = source;
  const message = mistaken.map(
    ({ key, missing }) => `${key}: Debian ${suite}, the base of ${name}, has no package ${missing.join(', ')}`,
  );
  const page = `https://packages.debian.org/search?suite=${suite}&keywords=${first.missing[0]}`;
  return new GbuildError('spec-invalid', message.join('\n'), {
    cause: thrown,
    suggestions: [`correct ${first.key} in gbuild.yml: ${page}`],
    facts: { ...thrown.facts, packages: mistaken.flatMap(({ missing }) => missing), suite },
  });
}
