import type { ToolchainData } from '../catalog/catalog-schema.ts';
import type { Requirement, VersionFact } from '../catalog/rule-schema.ts';
import { type Chosen, conditionsHold, factName, findFact } from './facts.ts';
import { parseNotation } from './version-notation.ts';

/** Version that a file asks for. */
export interface Asked {
  /** File and key, such as `package.json (engines.node)`. */
  source: string;
  /** Text for a sentence: `17 (21.3.0.r17-grl)`. */
  shown: string;
  /** Text for gbuild.yml; undefined for another notation. */
  text?: string;
  /** Ranges that a version must all fit; undefined where the text means no version. */
  ranges?: string[];
}

/** Reads the version of a repository's file, where the fact holds. */
export function readAsked(
  rootDir: string,
  data: ToolchainData,
  fact: VersionFact | Requirement,
  chosen: Chosen,
): Asked | undefined {
  if (!conditionsHold(rootDir, fact.when, chosen)) return undefined;
  const found = findFact(rootDir, fact);
  const said = found?.value.trim();
  if (found === undefined || said === undefined || said === '') return undefined;
  const source = factName({ ...fact, file: found.file });
  if (fact.value !== undefined) {
    return { source, shown: `${fact.value} (${said})`, text: fact.value, ranges: [fact.value] };
  }
  const alias = data.aliases[said.toLowerCase()];
  if (alias !== undefined) return { source, shown: said, text: alias, ranges: [alias] };
  const spelt = respell(data.spellings[fact.spelling ?? ''] ?? [], said);
  if (spelt.means === 'nothing') return undefined;
  if (spelt.means === 'unknown') return { source, shown: said };
  const { text } = spelt;
  const shown = text === said || said === `v${text}` ? said.replaceAll(/["']|[\s,]+$/g, '') : `${text} (${said})`;
  const ranges = parseNotation(fact.notation, text);
  if (ranges === undefined) return { source, shown };
  return { source, shown, ranges, ...(fact.notation === 'semver' && { text: text.replace(/^v(?=\d)/, '') }) };
}

/** Converts a version to the catalog's spelling, or returns its other meaning. */
function respell(spellings: ToolchainData['spellings'][string], said: string): { text: string; means?: string } {
  for (const { pattern, means } of spellings) {
    const match = new RegExp(pattern, 'i').exec(said);
    if (match !== null) return { text: match[1] ?? match[0], ...(means !== undefined && { means }) };
  }
  return { text: said };
}
