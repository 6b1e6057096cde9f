import type { z } from 'zod';
import type { PathKey } from '../types.ts';
import { absent, formatPath, type Mistake, quote } from './mistakes.ts';
import type { Source } from './source.ts';
import { suggest } from './suggest.ts';
import { describeTree, findTree, type YamlTree } from './tree.ts';

type Issue = z.core.$ZodIssue;

const typeWords: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'nothing',
};

/** Returns the expected words for issues whose schema has none. Passed to zod with each parse. */
export function expectedOf(issue: { code?: string | undefined; expected?: unknown; values?: unknown[] }): string {
  if (issue.code === 'invalid_type') return typeWords[String(issue.expected)] ?? String(issue.expected);
  if (issue.code === 'invalid_value') return (issue.values ?? []).join(', ').replace(/, ([^,]*)$/, ' or $1');
  if (issue.code === 'too_big' || issue.code === 'too_small') return 'a whole number in reach';
  return 'something else';
}

/** Names of other tools for the keys of gbuild. */
const otherNames: Record<string, string> = {
  environment: 'env',
  variables: 'env',
  script: 'run',
  command: 'run',
  steps: 'run',
  depends: 'needs',
  dependsOn: 'needs',
  depends_on: 'needs',
  ports: 'expose',
  healthcheck: 'health',
  working_directory: 'workdir',
  cwd: 'workdir',
  timeoutMinutes: 'timeout',
  version: 'gbuild',
  mem: 'memory',
  cpu: 'cpus',
  artifacts: 'reports',
  cache: 'caches',
  path: 'from',
  src: 'from',
  dest: 'to',
};

/**
 * Turns zod's issues into mistakes with a position: only the intended branch of a union, and one mistake for each
 * unknown key.
 */
export function explainIssues(issues: readonly Issue[], root: YamlTree, source: Source): Mistake[] {
  const mistakes = issues.flatMap((issue) => explainIssue(issue, [], root, source));
  const mistyped = new Set(
    mistakes.flatMap(({ found, path, hint }) => (found === absent ? [] : meantPath(path, hint))),
  );
  return mistakes.filter(({ found, key }) => found !== absent || !mistyped.has(key));
}

/** Returns the key that an unknown one was meant to be: its absence need not be reported as well. */
function meantPath(path: PathKey[], hint: string | undefined): string[] {
  const meant = /^did you mean (\w+)\?$/.exec(hint ?? '')?.[1];
  return meant === undefined ? [] : [formatPath([...path.slice(0, -1), meant])];
}

function explainIssue(issue: Issue, above: PathKey[], root: YamlTree, source: Source): Mistake[] {
  const path = [...above, ...issue.path.map((key) => (typeof key === 'number' ? key : String(key)))];
  const explain = (inner: readonly Issue[]) => inner.flatMap((one) => explainIssue(one, path, root, source));
  if (issue.code === 'invalid_union') {
    const meant = meantBranch(issue.errors, findTree(root, path).tree);
    if (meant !== undefined) return explain(meant);
  }
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => unknownKey(key, path, issue.message, root, source));
  if (issue.code === 'invalid_key') return issue.issues.map((one) => wrongKey(path, one.message, root, source));
  return [wrongValue(issue, path, root, source)];
}

/** Returns the branch for the value's type; with several, the one with the fewest changes. */
function meantBranch(branches: readonly (readonly Issue[])[], tree: YamlTree): readonly Issue[] | undefined {
  const cost = (issue: Issue): number => {
    if (issue.path.length === 0) return issue.code === 'unrecognized_keys' ? 1 : 1000;
    return findTree(tree, issue.path as PathKey[]).whole ? 1 : 10;
  };
  const costs = branches.map((branch) => branch.reduce((sum, issue) => sum + cost(issue), 0));
  const typed = branches.filter((branch) => !branch.some(isOfAnotherKind));
  return typed.sort((a, b) => costs[branches.indexOf(a)]! - costs[branches.indexOf(b)]!)[0];
}

/** Whether the value has another type, or is not the expected word such as auto. */
function isOfAnotherKind(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function unknownKey(key: string, path: PathKey[], message: string, root: YamlTree, source: Source): Mistake {
  const known = message.split(', ');
  const { tree } = findTree(root, [...path, key]);
  const other = otherNames[key];
  const meant = other !== undefined && known.includes(other) ? other : suggest(key, known);
  const merge =
    key === '<<' ? 'YAML 1.2 has no merge keys: repeat the keys, or give the whole mapping by an alias' : undefined;
  return source.mistakeAt(tree.keyFrom ?? tree.from, tree.keyTo ?? tree.to, {
    path: [...path, key],
    expected: 'a known key',
    found: quote(key),
    hint: merge ?? (meant === undefined ? `known are ${message}` : `did you mean ${meant}?`),
  });
}

function wrongKey(path: PathKey[], message: string, root: YamlTree, source: Source): Mistake {
  const { tree } = findTree(root, path);
  const [expected, hint] = splitHint(message);
  const found = quote(String(path.at(-1)));
  return source.mistakeAt(tree.keyFrom ?? tree.from, tree.keyTo ?? tree.to, { path, expected, found, hint });
}

function wrongValue(issue: Issue, path: PathKey[], root: YamlTree, source: Source): Mistake {
  const { tree, whole } = findTree(root, path);
  const [expected, hint] = splitHint(issue.message);
  if (!whole) return missingKey(path, expected, hint, tree, source);
  const found = describeTree(tree, source.text, quote);
  return source.mistakeAt(...spanOf(tree, source), {
    path,
    expected,
    found,
    hint: hint ?? hintFor(issue, tree, source),
  });
}

/** Describes a missing key, shown at the mapping that lacks it, by the mapping's own key where it has one. */
function missingKey(
  path: PathKey[],
  expected: string,
  hint: string | undefined,
  tree: YamlTree,
  source: Source,
): Mistake {
  const typed = suggest(String(path.at(-1)), [...tree.children.keys()].map(String));
  const [from, to] = [tree.keyFrom ?? tree.from, tree.keyTo ?? tree.from + 1];
  const why = typed === undefined ? hint : `is ${typed} meant to be ${String(path.at(-1))}?`;
  return source.mistakeAt(from, to, { path, expected, found: absent, hint: why });
}

/** Returns the span to mark: an empty value's key, a block's first line. */
function spanOf(tree: YamlTree, source: Source): [number, number] {
  if (tree.to <= tree.from && tree.keyFrom !== undefined) return [tree.keyFrom, tree.keyTo ?? tree.to];
  const end = source.text.indexOf('\n', tree.from);
  return [tree.from, end === -1 ? tree.to : Math.min(tree.to, end)];
}

function hintFor(issue: Issue, tree: YamlTree, source: Source): string | undefined {
  const { value } = tree;
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const meant = suggest(value, issue.values.map(String));
    return meant === undefined ? undefined : `did you mean ${meant}?`;
  }
  if (issue.code !== 'invalid_type') return undefined;
  if (issue.expected === 'string') return textHint(tree, source);
  if (issue.expected === 'array' && typeof value === 'string')
    return `write it as a list: ${listOf(value, issue.message)}`;
  if ((issue.expected === 'number' || issue.expected === 'int') && typeof value === 'string' && /^\d+$/.test(value)) {
    return `write ${value} without quotes`;
  }
  return undefined;
}

/** Hints at quotes: YAML reads 1.10 as the number 1.1, and only quotes keep the text. */
function textHint({ value, from, to }: YamlTree, source: Source): string | undefined {
  if (value === null) return 'write "" for an empty text';
  if (typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const written = source.text.slice(from, to);
  const lost = String(value) === written ? '' : ` (YAML reads it as ${String(value)})`;
  return `put it in quotes: "${written}"${lost}`;
}

function listOf(value: string, message: string): string {
  const words = /as a list of words/.test(message) ? value.trim().split(/\s+/) : [value];
  const list = `[${words.map((word) => JSON.stringify(word)).join(', ')}]`;
  return list.length > 100 ? '[..., ...]' : list;
}

function splitHint(message: string): [string, string | undefined] {
  const at = message.indexOf(' | ');
  return at === -1 ? [message, undefined] : [message.slice(0, at), message.slice(at + 3)];
}
