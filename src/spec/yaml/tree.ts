import type { PathKey } from '../types.ts';

export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };

/** YAML node as a plain value, with the offsets of its text and, in a mapping, of its key. */
export interface YamlTree {
  value: Value;
  from: number;
  to: number;
  keyFrom?: number;
  keyTo?: number;
  children: Map<PathKey, YamlTree>;
}

/** Returns the tree under a path, as deep as it exists, and whether the whole path exists. */
export function findTree(root: YamlTree, path: readonly PathKey[]): { tree: YamlTree; whole: boolean } {
  let tree = root;
  for (const key of path) {
    const child = tree.children.get(key);
    if (child === undefined) return { tree, whole: false };
    tree = child;
  }
  return { tree, whole: true };
}

/** Describes a node in words: `the number 1.10`, `a list of 3`, `nothing`. */
export function describeTree({ value, from, to }: YamlTree, text: string, quote: (text: string) => string): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return value === '' ? 'an empty text' : quote(value);
  if (typeof value === 'number' || typeof value === 'boolean') {
    const written = text.slice(from, to).trim();
    const spelling = /^\S{1,40}$/.test(written) ? written : String(value);
    return typeof value === 'number' ? `the number ${spelling}` : spelling;
  }
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an empty mapping';
  return `a mapping with ${keys.slice(0, 3).map(plainKey(quote)).join(', ')}${keys.length > 3 ? ', ...' : ''}`;
}

function plainKey(quote: (text: string) => string): (key: string) => string {
  return (key) => (/^[\w.:/-]{1,40}$/.test(key) ? key : quote(key));
}
