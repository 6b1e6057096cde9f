import type { ErrorCode, GbuildError } from '../../errors.ts';
import { MistakesError, quote } from '../yaml/mistakes.ts';
import { readTree } from '../yaml/read-tree.ts';
import { decodeSource } from '../yaml/source.ts';
import { parseSyntax } from '../yaml/syntax.ts';
import { findTree } from '../yaml/tree.ts';

/** One entry of `catalogs`, as it is written. */
export interface CatalogReference {
  text: string;
  /** An error that shows where it is written. */
  refuse(code: ErrorCode, remark: { expected: string; why: string; suggestions: string[] }): GbuildError;
}

/** Parses `catalogs` of a file; nothing where that is no list, or the file has mistakes: reading the whole of it reports them. */
export function parseCatalogEntries(bytes: Uint8Array, file: string): CatalogReference[] {
  const { source, mistakes } = decodeSource(bytes, file);
  const document = mistakes.length === 0 ? parseSyntax(source).document : undefined;
  if (document === undefined) return [];
  const { tree, whole } = findTree(readTree(document, source).tree, ['catalogs']);
  if (!whole || !Array.isArray(tree.value)) return [];
  return [...tree.children].flatMap(([index, { value, from, to }]) => {
    if (typeof value !== 'string') return [];
    const refuse: CatalogReference['refuse'] = (code, { expected, why, suggestions }) => {
      const found = `${quote(value)}, ${why}`;
      return new MistakesError(
        code,
        [source.mistakeAt(from, to, { path: ['catalogs', index], expected, found })],
        suggestions,
      );
    };
    return [{ text: value, refuse }];
  });
}
