import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, type Scalar } from 'yaml';
import type { PathKey } from '../types.ts';
import { type Mistake, quote } from './mistakes.ts';
import type { Remark, Source } from './source.ts';
import type { Value, YamlTree } from './tree.ts';

const deepest = 32;
const mostCopies = 10_000;
const mostMistakes = 100;
const knownTags = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

/**
 * Reads a YAML document as plain values with their positions. Aliases are followed within a budget. Tags, duplicate
 * keys and keys that are no text are mistakes, and left out of the tree.
 */
export function readTree(document: Document, source: Source): { tree: YamlTree; whole: boolean; mistakes: Mistake[] } {
  const reader = new TreeReader(source);
  const tree = reader.read(document.contents, [], { from: 0, to: 0 });
  return { tree, whole: reader.whole, mistakes: reader.mistakes };
}

interface Span {
  from: number;
  to: number;
}

class TreeReader {
  readonly mistakes: Mistake[] = [];
  /** False where a limit cut the reading short: the partial tree proves nothing about the file. */
  whole = true;
  readonly #source: Source;
  readonly #anchors = new Map<string, unknown>();
  readonly #open = new Set<unknown>();
  #aliases = 0;
  #copies = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Reads a node; `near` is the position for a node without text: an empty value, or one that a migration made. */
  read(node: unknown, path: PathKey[], near: Span): YamlTree {
    const span = spanOf(node) ?? near;
    const leaf = (value: Value): YamlTree => ({ value, ...span, children: new Map() });
    if (this.#aliases > 0 && ++this.#copies > mostCopies) return leaf(null);
    if (path.length > deepest) {
      this.whole = false;
      this.#refuse(span, path.slice(0, 4), { expected: `at most ${deepest} levels`, found: 'deeper nesting' });
      return leaf(null);
    }
    if (isAlias(node)) return this.#readAlias(node.source, path, span);
    if (isScalar(node) || isMap(node) || isSeq(node)) {
      if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
      this.#checkTag(node.tag, path, span);
    }
    if (isMap(node)) return this.#within(node, () => this.#readMap(node.items, path, span));
    if (isSeq(node)) return this.#within(node, () => this.#readSeq(node.items, path, span));
    return leaf(isScalar(node) ? this.#readScalar(node, path, span) : null);
  }

  #readScalar({ value }: Scalar, path: PathKey[], span: Span): Value {
    if (typeof value === 'string') {
      if (value.includes('\0')) this.#refuse(span, path, { expected: 'text without NUL', found: 'a NUL character' });
      return value;
    }
    if (typeof value === 'number' || typeof value === 'boolean') return value;
    return typeof value === 'bigint' ? Number(value) : null;
  }

  #readSeq(items: unknown[], path: PathKey[], span: Span): YamlTree {
    const children = new Map<PathKey, YamlTree>();
    for (const [index, item] of items.entries()) {
      children.set(index, this.read(item, [...path, index], { from: span.from, to: span.from + 1 }));
    }
    return { value: [...children.values()].map((child) => child.value), ...span, children };
  }

  #readMap(items: Pair[], path: PathKey[], span: Span): YamlTree {
    const value: { [key: string]: Value } = Object.create(null);
    const children = new Map<PathKey, YamlTree>();
    for (const pair of items) {
      const keySpan = spanOf(pair.key) ?? span;
      const key = this.#readKey(pair.key, path, keySpan);
      const first = key === undefined ? undefined : children.get(key);
      if (key === undefined) continue;
      if (first !== undefined) {
        const { line } = this.#source.positionOf(first.keyFrom ?? first.from);
        this.#refuse(keySpan, [...path, key], {
          expected: 'each key once',
          found: `it again: the first is on line ${line}`,
        });
        continue;
      }
      const child = this.read(pair.value, [...path, key], keySpan);
      children.set(key, { ...child, keyFrom: keySpan.from, keyTo: keySpan.to });
      value[key] = child.value;
    }
    return { value, ...span, children };
  }

  #readKey(key: unknown, path: PathKey[], span: Span): string | undefined {
    const expected = 'a key that is text';
    if (!isScalar(key)) {
      const found = isAlias(key) ? 'an alias' : isMap(key) ? 'a mapping' : isSeq(key) ? 'a list' : 'no key';
      return this.#refuse(span, path, { expected, found });
    }
    if (key.anchor !== undefined) this.#anchors.set(key.anchor, key);
    if (typeof key.value !== 'string') {
      const written = this.#source.text.slice(span.from, span.to);
      if (key.value === null) return this.#refuse(span, path, { expected, found: written === '' ? 'no key' : written });
      return this.#refuse(span, path, {
        expected,
        found: `the ${typeof key.value} ${written}`,
        hint: `write "${written}"`,
      });
    }
    if (key.value === '__proto__' || /\p{C}/u.test(key.value)) {
      return this.#refuse(span, path, { expected: 'a key of visible text', found: quote(key.value) });
    }
    return key.value;
  }

  #readAlias(name: string, path: PathKey[], span: Span): YamlTree {
    const leaf: YamlTree = { value: null, ...span, children: new Map() };
    const target = this.#anchors.get(name);
    if (target === undefined) {
      this.#refuse(span, path, {
        expected: `an anchor &${name} above`,
        found: 'none of that name',
        hint: 'put text that starts with * in quotes',
      });
      return leaf;
    }
    if (this.#open.has(target)) {
      this.#refuse(span, path, { expected: 'an alias of something else', found: `*${name}, which holds itself` });
      return leaf;
    }
    const spent = this.#copies > mostCopies;
    this.#aliases++;
    const tree = this.read(target, path, span);
    this.#aliases--;
    if (!spent && this.#aliases === 0 && this.#copies > mostCopies) {
      this.whole = false;
      this.#refuse(span, path, { expected: `aliases of at most ${mostCopies} values in all`, found: 'more' });
    }
    return tree;
  }

  #within(node: unknown, work: () => YamlTree): YamlTree {
    this.#open.add(node);
    const tree = work();
    this.#open.delete(node);
    return tree;
  }

  #checkTag(tag: string | undefined, path: PathKey[], span: Span): void {
    if (tag === undefined || knownTags.has(tag)) return;
    const found = quote(tag.replace('tag:yaml.org,2002:', '!!'));
    this.#refuse(span, path, { expected: 'a value without a tag', found: `the tag ${found}` });
  }

  #refuse(span: Span, path: readonly PathKey[], remark: Remark): undefined {
    if (this.mistakes.length < mostMistakes)
      this.mistakes.push(this.#source.mistakeAt(span.from, span.to, { ...remark, path }));
  }
}

function spanOf(node: unknown): Span | undefined {
  if (!isScalar(node) && !isMap(node) && !isSeq(node) && !isAlias(node)) return undefined;
  const range = node.range;
  return range === null || range === undefined ? undefined : { from: range[0], to: range[1] };
}
