import { unknownFingerprint } from '../../workspace/unknown-fingerprint.ts';
import type { Node, SyncBaseEntry } from '../tree/tree.ts';
import { PathTable, RecordMap } from './path-table.ts';
import { holds, isAlikeAt, isHereAt, type Records, readHere, readSyncBaseEntry, readThere } from './records.ts';

const baseMarks = { recorded: 1, own: 8 };
const remoteMarks = { recorded: 2, own: 16 };
const localMarks = { recorded: 4, own: 32 };
const any = 63;
/** Mark of a record: the common state equals the volume's. */
const alike = 64;
const settledThere = baseMarks.recorded | remoteMarks.recorded | alike;
const settled = settledThere | localMarks.recorded;

/** Snapshot of a volume as recorded, updated during the run. */
export class SyncSnapshot {
  readonly base: RecordMap<SyncBaseEntry>;
  /** Paths of the volume; right while the volume has the clean marker. */
  readonly remote: RecordMap<Node>;
  /** Present state of this side, to be filled; it is read many times. */
  readonly local: RecordMap<Node>;
  readonly #records: Records;
  readonly #table = new PathTable();

  constructor(records: Records) {
    this.#records = records;
    this.base = new RecordMap(this.#table, baseMarks, (at, path) => readSyncBaseEntry(records, at, path));
    this.remote = new RecordMap(this.#table, remoteMarks, (at, path) => readThere(records, at, path));
    const read = new Map<number, Node>();
    this.local = new RecordMap(this.#table, localMarks, (at) => {
      const node = read.get(at) ?? readHere(records, at);
      read.set(at, node);
      return node;
    });
  }

  /** Adds a record of a path; a later one replaces it. */
  recall(path: string, at: number): void {
    const { base, there } = holds(this.#records, at);
    const marks = (base ? baseMarks.recorded : 0) | (there ? remoteMarks.recorded : 0);
    this.#table.recall(path, at, marks | (isAlikeAt(this.#records, at) ? alike : 0));
  }

  /** Records a file or folder of this side if its state is unchanged; false otherwise. */
  note(path: string, kind: 'file' | 'directory', fingerprint: string): boolean {
    const row = this.#table.find(path);
    if (row === undefined || fingerprint === unknownFingerprint || !this.#table.has(row, baseMarks.recorded))
      return false;
    if (!isHereAt(this.#records, this.#table.recordAt(row), kind, fingerprint)) return false;
    this.#table.mark(row, localMarks.recorded, localMarks.own);
    return true;
  }

  /** Lists paths that may differ on either side from the common state. */
  loose(): string[] {
    return [...this.#table.list(any, settled)];
  }

  /** Lists paths that may differ on the engine's side from the common state. */
  looseThere(): string[] {
    return [...this.#table.list(any, settledThere)];
  }
}
