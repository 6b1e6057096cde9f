import { GbuildError } from '../../errors.ts';
import type { OptionValue } from '../../spec/types.ts';
import type { ToolchainData } from '../catalog/catalog-schema.ts';
import type { OptionRule } from '../catalog/rule-schema.ts';

import { type Chosen, factName, findFact } from './facts.ts';

/**
 * Reads the value of each option that a repository's files decide; the spec takes precedence. Throws
 * 'toolchain-unknown' where files name an unknown value, or where several files disagree and none of them decides.
 */
export function readChoices(
  rootDir: string,
  { name, options }: Pick<ToolchainData, 'name' | 'options'>,
  asked: Record<string, OptionValue> = {},
): Chosen {
  const chosen = Object.entries(options).flatMap(([option, rule]) => {
    const value = asked[option] ?? readChoice(rootDir, name, option, rule);
    return typeof value === 'string' ? [[option, value] as const] : [];
  });
  return Object.fromEntries(chosen);
}

interface Held {
  is: string;
  source: string;
  weak: boolean;
}

function readChoice(rootDir: string, toolchain: string, option: string, rule: OptionRule): string | undefined {
  const held = (rule.choose?.rules ?? []).flatMap(({ is, weak, ...fact }): Held[] => {
    const found = findFact(rootDir, fact);
    if (found === undefined) return [];
    return [{ is: is ?? found.value, source: factName({ ...fact, file: found.file }), weak }];
  });
  const [first] = held;
  if (first === undefined) return undefined;
  if (rule.values !== undefined && !rule.values.includes(first.is)) throw noSuchValue(toolchain, option, rule, first);
  const rival = first.weak ? held.find(({ is, weak }) => weak && is !== first.is) : undefined;
  if (rival !== undefined) throw nobodyDecides(rule, first, rival);
  return first.is;
}

function noSuchValue(
  toolchain: string,
  option: string,
  { values = [] }: OptionRule,
  { is, source }: Held,
): GbuildError {
  return new GbuildError(
    'toolchain-unknown',
    `${source} asks for ${is}, which the toolchain ${toolchain} does not have; it has ${values.join(', ')}`,
    {
      suggestions: values.map((value) => `toolchain: {name: ${toolchain}, ${option}: ${value}}   # in gbuild.yml`),
      facts: { source, asked: is, values },
    },
  );
}

function nobodyDecides({ choose }: OptionRule, first: Held, rival: Held): GbuildError {
  const both = [first, rival];
  return new GbuildError(
    'toolchain-unknown',
    `${first.source} is ${first.is}'s and ${rival.source} is ${rival.is}'s, and no file says which of the two is meant`,
    {
      suggestions: [
        `git rm ${rival.source}   # ${first.is} is meant`,
        `git rm ${first.source}   # ${rival.is} is meant`,
        ...both.map(({ is }) => choose!.remedy.replaceAll('{value}', is)),
      ],
      facts: { files: both.map(({ source }) => source), values: both.map(({ is }) => is) },
    },
  );
}
