import type { PathMap } from '../tree/tree.ts';

/** Marks of a row for one map: its record holds the value, or the value has changed. */
interface Marks {
  recorded: number;
  own: number;
}

/**
 * Paths as rows, each with its folder, and maps of them. An unchanged value is read from the row's record at each
 * request, so that a hundred thousand of them cost a few numbers each.
 */
export class PathTable {
  readonly #rows = new Map<string, number>();
  readonly #paths: string[] = [];
  readonly #records: number[] = [];
  readonly #marks: number[] = [];

  /** Adds a path's record and its marks; a later record replaces it. */
  recall(path: string, record: number, marks: number): void {
    const row = this.rowOf(path);
    this.#records[row] = record;
    this.#marks[row] = marks;
  }

  find(path: string): number | undefined {
    return this.#rows.get(path);
  }

  rowOf(path: string): number {
    const row = this.#rows.get(path);
    if (row !== undefined) return row;
    this.#rows.set(path, this.#paths.length);
    this.#records.push(0);
    this.#marks.push(0);
    return this.#paths.push(path) - 1;
  }

  recordAt(row: number): number {
    return this.#records[row]!;
  }

  /** Whether a row has any of the marks. */
  has(row: number, marks: number): boolean {
    return (this.#marks[row]! & marks) !== 0;
  }

  mark(row: number, add: number, take: number): void {
    this.#marks[row] = (this.#marks[row]! & ~take) | add;
  }

  /** Lists paths with any of some marks, unless they have all of others. */
  *list(any: number, unlessAll?: number): Generator<string> {
    for (let row = 0; row < this.#paths.length; row += 1) {
      const marks = this.#marks[row]!;
      if ((marks & any) !== 0 && (unlessAll === undefined || (marks & unlessAll) !== unlessAll))
        yield this.#paths[row]!;
    }
  }
}

/**
 * Map of a table's paths. It knows which have changed since the last request for them. Values are replaced, never
 * changed.
 */
export class RecordMap<Value extends object> implements PathMap<Value> {
  readonly #table: PathTable;
  readonly #marks: Marks;
  readonly #read: (record: number, path: string) => Value;
  readonly #values = new Map<number, Value>();
  #changed = new Set<string>();

  constructor(table: PathTable, marks: Marks, read: (record: number, path: string) => Value) {
    this.#table = table;
    this.#marks = marks;
    this.#read = read;
  }

  get #either(): number {
    return this.#marks.recorded | this.#marks.own;
  }

  get size(): number {
    let size = 0;
    for (const _ of this.keys()) size += 1;
    return size;
  }

  has(path: string): boolean {
    const row = this.#table.find(path);
    return row !== undefined && this.#table.has(row, this.#either);
  }

  get(path: string): Value | undefined {
    const row = this.#table.find(path);
    if (row === undefined) return undefined;
    return this.#table.has(row, this.#marks.recorded)
      ? this.#read(this.#table.recordAt(row), path)
      : this.#values.get(row);
  }

  set(path: string, value: Value): this {
    const row = this.#table.rowOf(path);
    if (this.#values.get(row) === value) return this;
    this.#values.set(row, value);
    this.#table.mark(row, this.#marks.own, this.#marks.recorded);
    this.#changed.add(path);
    return this;
  }

  delete(path: string): boolean {
    const row = this.#table.find(path);
    if (row === undefined || !this.#table.has(row, this.#either)) return false;
    this.#values.delete(row);
    this.#table.mark(row, 0, this.#either);
    this.#changed.add(path);
    return true;
  }

  keys(): Generator<string> {
    return this.#table.list(this.#either);
  }

  *[Symbol.iterator](): Generator<[string, Value]> {
    for (const path of this.keys()) yield [path, this.get(path)!];
  }

  /** Returns the changed paths in the order of their first change, and forgets them. */
  takeChanged(): Set<string> {
    const taken = this.#changed;
    this.#changed = new Set();
    return taken;
  }
}
