import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readTextIfAny } from '../../fs/read-bounded.ts';
import type { Condition, Fact } from '../catalog/rule-schema.ts';

/** Size limit in bytes: larger files are no project files that name a version. */
const maximumSize = 4 * 1024 * 1024;

/** Number of lookups: a property may name another one, and a circle must end. */
const maximumLookups = 5;

/** Values that a repository chooses, by the option's name. */
export type Chosen = Readonly<Record<string, string>>;

/**
 * Reads a fact of a repository, undefined where it does not hold. Never throws: an unreadable file or invalid JSON
 * counts as no fact.
 */
export function readFact(rootDir: string, fact: Fact): string | undefined {
  return findFact(rootDir, fact)?.value;
}

/** Fact that holds. */
export interface FoundFact {
  value: string;
  /** File and line of the fact, from 1; the first line for a JSON key. */
  file: string;
  lineNumber: number;
}

export function findFact(rootDir: string, fact: Fact): FoundFact | undefined {
  for (const file of listFiles(rootDir, fact.file)) {
    const text = readTextIfAny(join(rootDir, file), maximumSize);
    if (text === undefined) continue;
    const value = readValue(text, fact);
    if (value !== undefined) return { value, file, lineNumber: findLine(text, fact) };
  }
  return undefined;
}

/** Whether all conditions hold. */
export function conditionsHold(rootDir: string, conditions: Condition[], chosen: Chosen): boolean {
  return conditions.every((condition) =>
    'option' in condition ? chosen[condition.option] === condition.is : readFact(rootDir, condition) !== undefined,
  );
}

/** Whether a rule applies: all of `when` hold, and none of `unless`. */
export function ruleHolds(
  rootDir: string,
  { when, unless }: { when: Condition[]; unless: Condition[] },
  chosen: Chosen,
): boolean {
  return conditionsHold(rootDir, when, chosen) && !unless.some((each) => conditionsHold(rootDir, [each], chosen));
}

/** Names a fact for people: `package.json (engines.node)`. */
export function factName({ file, json }: Pick<Fact, 'file' | 'json'>): string {
  return json === undefined ? file : `${file} (${json.replaceAll(/\[[^\]]*\]/g, '')})`;
}

function findLine(text: string, { json, pattern }: Fact): number {
  const at = json === undefined && pattern !== undefined ? (new RegExp(pattern, 'm').exec(text)?.index ?? 0) : 0;
  return text.slice(0, at).split('\n').length;
}

function readValue(text: string, { json, pattern, lookup }: Fact): string | undefined {
  const value = json === undefined ? text : jsonText(text, json);
  if (value === undefined || pattern === undefined) return value;
  const match = new RegExp(pattern, 'm').exec(value);
  if (match === null) return undefined;
  const found = match[1] ?? match[0];
  return lookup === undefined ? found : fillNames(found, text, lookup);
}

/** Replaces names such as `${java.version}` in a text; undefined where the file does not define one. */
function fillNames(value: string, text: string, lookup: string): string | undefined {
  let filled: string | undefined = value;
  for (let turn = 0; turn < maximumLookups && filled !== undefined; turn++) {
    const name: string | undefined = /\$\{([\w.-]+)\}/.exec(filled)?.[1];
    if (name === undefined) return filled;
    const expression: string = lookup.replaceAll('{name}', name.replaceAll('.', '\\.'));
    const meant: string | undefined = new RegExp(expression, 'm').exec(text)?.[1];
    filled = meant === undefined ? undefined : filled.replaceAll(`\${${name}}`, meant);
  }
  return undefined;
}

/** Lists the files that a path with `*` matches, sorted; a path without it means itself. */
function listFiles(rootDir: string, path: string): string[] {
  if (!path.includes('*')) return [path];
  const found = path
    .split('/')
    .reduce<string[]>(
      (folders, part) =>
        folders.flatMap((folder) => listNames(rootDir, folder, part).map((name) => join(folder, name))),
      [''],
    );
  return found.sort();
}

function listNames(rootDir: string, folder: string, part: string): string[] {
  if (!part.includes('*')) return [part];
  const escaped = part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*');
  const expression = new RegExp(`^${escaped}$`);
  try {
    return readdirSync(join(rootDir, folder)).filter((name) => !name.startsWith('.') && expression.test(name));
  } catch {
    return [];
  }
}

/** Returns the value at a dotted path of a JSON text: strings as they are, anything else as JSON. */
function jsonText(text: string, path: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return undefined;
  }
  for (const part of path.split('.')) {
    const [, key = part, name] = /^(.*)\[([^\]]*)\]$/.exec(part) ?? [];
    value = childOf(value, key);
    if (name !== undefined) value = [value].flat().find((each) => childOf(each, 'name') === name);
  }
  if (value === null || value === undefined || value === '') return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Returns the value of a key; in a list, of the first element that has it. */
function childOf(value: unknown, key: string): unknown {
  const all: unknown[] = [value].flat();
  const owner = all.find((each) => typeof each === 'object' && each !== null && Object.hasOwn(each, key));
  return (owner as Record<string, unknown> | undefined)?.[key];
}
