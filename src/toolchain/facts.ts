import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Fact } from './catalog-schema.ts';

/** Files beyond this are no project files that say which version is wanted. */
const maximumSize = 4 * 1024 * 1024;

/**
 * What a fact says of a repository, undefined where it does not hold. Never throws: an unreadable file or one that is no
 * JSON says nothing.
 */
export function readFact(rootDir: string, fact: Fact): string | undefined {
  const text = readText(join(rootDir, fact.file));
  if (text === undefined) return undefined;
  const value = fact.json === undefined ? text : jsonText(text, fact.json);
  if (value === undefined || fact.pattern === undefined) return value;
  const match = new RegExp(fact.pattern, 'm').exec(value);
  return match === null ? undefined : (match[1] ?? match[0]);
}

/** True when every one of the facts holds. */
export function factsHold(rootDir: string, facts: Fact[]): boolean {
  return facts.every((fact) => readFact(rootDir, fact) !== undefined);
}

/** True when all of a rule's facts hold that must, and none that must not. */
export function ruleHolds(rootDir: string, { when, unless }: { when: Fact[]; unless: Fact[] }): boolean {
  return factsHold(rootDir, when) && !unless.some((fact) => factsHold(rootDir, [fact]));
}

/** How a fact is spoken of: `package.json (engines.node)`. */
export function factName(fact: Fact): string {
  return fact.json === undefined ? fact.file : `${fact.file} (${fact.json})`;
}

function readText(file: string): string | undefined {
  try {
    const stat = statSync(file);
    return stat.isFile() && stat.size <= maximumSize ? readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/** The value at a dotted path of a JSON text: strings as they are, anything else as JSON. */
function jsonText(text: string, path: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  if (value === null || value === undefined || value === '') return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
