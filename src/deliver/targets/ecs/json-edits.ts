import { isScalar, type Node, type Pair, type YAMLMap } from 'yaml';

/** Replaces a range of a text. */
export interface Edit {
  from: number;
  to: number;
  text: string;
}

/** Applies edits that do not overlap. What they do not touch keeps its bytes. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  return edits
    .toSorted((a, b) => b.from - a.from)
    .reduce((done, { from, to, text: by }) => done.slice(0, from) + by + done.slice(to), text);
}

/** Removes keys of an object, each with its comma. At least one key stays. */
export function dropKeys({ items }: YAMLMap, keys: ReadonlySet<string>): Edit[] {
  const isDropped = items.map((pair) => keys.has(keyOf(pair)));
  const first = isDropped.indexOf(false);
  const leading = first > 0 ? [{ from: startOf(items[0]!), to: startOf(items[first]!), text: '' }] : [];
  const others = items.flatMap((pair, index) =>
    index > first && isDropped[index] ? [{ from: endOf(items[index - 1]!), to: endOf(pair), text: '' }] : [],
  );
  return [...leading, ...others];
}

/** Sets a key to a JSON text. A new key comes right behind `after`, on a line of its own where that one is. */
export function setKey(source: string, map: YAMLMap, key: string, json: string, after: string): Edit {
  const there = map.items.find((pair) => keyOf(pair) === key);
  if (there !== undefined) return { from: rangeOf(there.value)[0], to: endOf(there), text: json };
  const index = map.items.findIndex((pair) => keyOf(pair) === after);
  const behind = map.items[index]!;
  const before = index === 0 ? rangeOf(map)[0] + 1 : endOf(map.items[index - 1]!);
  const blanks = source.slice(before, startOf(behind)).replace(',', '');
  return {
    from: endOf(behind),
    to: endOf(behind),
    text: `,${blanks === '' ? ' ' : blanks}${JSON.stringify(key)}: ${json}`,
  };
}

export function keyOf({ key }: Pair<unknown, unknown>): string {
  return isScalar(key) ? String(key.value) : '';
}

/** Returns start and end of a node in its text. JSON that was parsed has both. */
export function rangeOf(node: unknown): [number, number] {
  const [from, to] = (node as Node).range!;
  return [from, to];
}

function startOf({ key }: Pair<unknown, unknown>): number {
  return rangeOf(key)[0];
}

function endOf({ value }: Pair<unknown, unknown>): number {
  return rangeOf(value)[1];
}
