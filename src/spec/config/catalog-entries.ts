import type { ErrorCode, GbuildError } from '../../errors.ts';
import { MistakesError, quote } from '../yaml/mistakes.ts';
import { readTree } from '../yaml/read-tree.ts';
import { decodeSource } from '../yaml/source.ts';
import { parseSyntax } from '../yaml/syntax.ts';
import { findTree } from '../yaml/tree.ts';

/** Entry of `catalogs` as the file has it. */
export interface CatalogReference {
  text: string;
  /** Makes an error with the entry's position. */
  refuse(code: ErrorCode, remark: { expected: string; why: string; suggestions: string[] }): GbuildError;
}

/**
 * Parses `catalogs` of a file. Returns nothing where it is no list, or where the file has mistakes: reading the whole
 * file reports them.
 */
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
