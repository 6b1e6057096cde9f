import { parsePath } from '../../engine/engine.ts';
import type { Node, SyncBaseEntry } from '../tree/tree.ts';

/**
 * Text of recorded paths: each has its name and a record, both ended by NUL. A record begins with a letter for its
 * kind. Then come fields that end in a tab: this side's state (letter of its kind and fingerprint), the other side's
 * facts from `find`, content, the recorded fingerprint there, a link's target there. Targets are escaped.
 */
export type Records = string;

/** Letters: both sides equal; both recorded; only the common state; only the volume's; nothing any more. */
const letters = { alike: '=', both: '~', base: '<', there: '>', none: '-' } as const;
const alike = letters.alike.charCodeAt(0);
const tab = 9;

const kindOf: Record<string, SyncBaseEntry['kind']> = { f: 'file', d: 'directory', l: 'symlink' };

export function writeRecord(base: SyncBaseEntry | undefined, there: Node | undefined): string {
  const seen = there?.facts === undefined ? undefined : there;
  const isAlike = seen !== undefined && seen.kind === base?.kind && seen.fingerprint === base.remote;
  const target = encodeURIComponent(seen?.target ?? '');
  const letter = letterOf(base, seen, isAlike);
  if (base === undefined) return `${letter}\t${seen?.facts ?? ''}\t\t\t${target}\t`;
  const text = base.kind === 'symlink' ? encodeURIComponent : (plain: string) => plain;
  const local = `${base.kind === 'symlink' ? 'l' : base.kind[0]}${text(base.local)}`;
  return `${letter}${local}\t${seen?.facts ?? ''}\t${text(base.content)}\t${isAlike ? '' : text(base.remote)}\t${target}\t`;
}

function letterOf(base: SyncBaseEntry | undefined, seen: Node | undefined, isAlike: boolean): string {
  if (isAlike) return letters.alike;
  if (base === undefined) return seen === undefined ? letters.none : letters.there;
  return seen === undefined ? letters.base : letters.both;
}

/** Whether the record at this offset holds the common state, and the volume's. */
export function holds(records: Records, at: number): { base: boolean; there: boolean } {
  const letter = records[at];
  const both = letter === letters.alike || letter === letters.both;
  return { base: both || letter === letters.base, there: both || letter === letters.there };
}

export function isAlikeAt(records: Records, at: number): boolean {
  return records.charCodeAt(at) === alike;
}

/** Whether this side is recorded with that state. */
export function isHereAt(records: Records, at: number, kind: 'file' | 'directory', fingerprint: string): boolean {
  const end = at + 2 + fingerprint.length;
  return records.startsWith(fingerprint, at + 2) && records[at + 1] === kind[0] && records.charCodeAt(end) === tab;
}

/** Reads this side's recorded state of a file or a folder. */
export function readHere(records: Records, at: number): Node {
  const fingerprint = records.slice(at + 2, records.indexOf('\t', at));
  if (records[at + 1] === 'd')
    return { kind: 'directory', mode: Number.parseInt(fingerprint, 8), size: 0, fingerprint };
  const [mode = 0, size = 0, mtime = 0] = fingerprint.split(' ', 3).map(Number);
  return { kind: 'file', mode, size, fingerprint, mtime };
}

export function readSyncBaseEntry(records: Records, at: number, path: string): SyncBaseEntry {
  const [local = '', facts = '', content = '', remote = '', target = ''] = fieldsAt(records, at);
  const kind = kindOf[local[0]!] ?? 'other';
  const text = kind === 'symlink' ? decodeURIComponent : (plain: string) => plain;
  const base = isAlikeAt(records, at) ? parsePath(facts, path, decodeURIComponent(target)).fingerprint : text(remote);
  return { kind, content: text(content), local: text(local.slice(1)), remote: base };
}

export function readThere(records: Records, at: number, path: string): Node {
  const [, facts = '', , , target = ''] = fieldsAt(records, at);
  return parsePath(facts, path, decodeURIComponent(target));
}

function fieldsAt(records: Records, at: number): string[] {
  return records.slice(at + 1, records.indexOf('\0', at)).split('\t');
}
