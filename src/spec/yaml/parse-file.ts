import type { Document } from 'yaml';
import type { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import type { PathKey, Position } from '../types.ts';
import { expectedOf, explainIssues } from './explain.ts';
import { type Mistake, MistakesError, quote } from './mistakes.ts';
import { readTree } from './read-tree.ts';
import { decodeSource, type Source } from './source.ts';
import { parseSyntax } from './syntax.ts';
import { describeTree, findTree, type YamlTree } from './tree.ts';

/** Format of one of gbuild's YAML files. */
export interface FileFormat<Output> {
  code: ErrorCode;
  /** Key that holds the major version, and the name of a complete file. */
  versionKey: string;
  title: string;
  suggestions: string[];
  schema: z.ZodType<Output>;
  /** Finds mistakes that no schema can find. */
  check(tree: YamlTree, source: Source): Mistake[];
  /** Upgrades an older document to the current major, or returns the reason why not; throws nothing. */
  upgrade(document: Document, tree: YamlTree, source: Source): Mistake[];
}

export interface ParsedFile<Output> {
  output: Output;
  source: Source;
  /** Tree that was checked. */
  tree: YamlTree;
  /** Tree of the file before any upgrade. */
  written: YamlTree;
  locate(path: readonly PathKey[]): Position | undefined;
}

/** Parses and checks a text. Throws one GbuildError of the format's code with every mistake that could be found. */
export function parseFile<Output>(
  bytes: string | Uint8Array,
  file: string,
  format: FileFormat<Output>,
): ParsedFile<Output> {
  const { source, mistakes: undecodable } = decodeSource(bytes, file);
  refuseAny(undecodable, format);
  const { document, mistakes: syntax } = parseSyntax(source);
  refuseAny(syntax, format);
  const written = readTree(document!, source);
  if (!written.whole) refuseAny(written.mistakes, format);
  refuseAny(checkRoot(written.tree, source, format), format);
  refuseAny(format.upgrade(document!, written.tree, source), format);
  const { tree, mistakes } = readTree(document!, source);
  const parsed = format.schema.safeParse(tree.value, { error: expectedOf });
  if (!parsed.success) mistakes.push(...explainIssues(parsed.error.issues, tree, source));
  mistakes.push(...format.check(tree, source));
  refuseAny(mistakes, format);
  return {
    output: parsed.data as Output,
    source,
    tree,
    written: written.tree,
    locate: (path) => locateIn(tree, source, path),
  };
}

function refuseAny(mistakes: readonly Mistake[], { code, suggestions }: FileFormat<unknown>): void {
  const seen = new Set<string>();
  const first = mistakes.filter(({ line, column, key }) => {
    const place = `${line}:${column}:${key}`;
    return seen.has(place) ? false : seen.add(place);
  });
  if (first.length > 0) throw new MistakesError(code, first, suggestions);
}

function checkRoot(tree: YamlTree, source: Source, { title, versionKey }: FileFormat<unknown>): Mistake[] {
  if (tree.value !== null && typeof tree.value === 'object' && !Array.isArray(tree.value)) return [];
  const found = tree.value === null ? 'an empty file' : describeTree(tree, source.text, quote);
  const end = source.text.indexOf('\n', tree.from);
  const to = end === -1 ? tree.to : Math.min(end, tree.to);
  return [source.mistakeAt(tree.from, to, { expected: `${title}, starting with "${versionKey}: 1"`, found })];
}

function locateIn(root: YamlTree, source: Source, path: readonly PathKey[]): Position | undefined {
  const { tree, whole } = findTree(root, path);
  return whole ? source.positionOf(tree.from) : undefined;
}
