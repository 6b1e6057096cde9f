import { unknownFingerprint } from '../../workspace/unknown-fingerprint.ts';
/** One path of a workspace, on either side. */
export interface Node {
  kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Permission bits. */
  mode: number;
  /** Bytes; of files. */
  size: number;
  /**
   * Changes whenever the content may have changed. Built from mode, size, times and inode of a file, the mode of a folder, the
   * target of a link. A file's is not comparable across sides.
   */
  fingerprint: string;
  /** Modification, in milliseconds since 1970; only of this side. */
  mtime?: number;
  /** It would run as its owner or group. */
  setsId?: boolean;
  /** Target of a symlink. */
  target?: string;
  /** Facts of the engine's side: kind, mode, size, change time and inode in one text. */
  facts?: string;
}

/** Values by path; a `Map` is one. */
export interface PathMap<Value> extends Iterable<[path: string, value: Value]> {
  readonly size: number;
  has(path: string): boolean;
  get(path: string): Value | undefined;
  set(path: string, value: Value): unknown;
  delete(path: string): boolean;
  keys(): Iterable<string>;
}

/** Paths with `/`, relative to the workspace, each folder before what is in it. */
export type Tree = PathMap<Node>;

/** State of one path when both sides were last made equal. */
export interface SyncBaseEntry {
  kind: Node['kind'];
  /** sha256 of a file, the target of a link, nothing of a folder. */
  content: string;
  /** Fingerprints here and on the engine. */
  local: string;
  remote: string;
}

/** Last synced state: every path that was equal on both sides. */
export type SyncBase = PathMap<SyncBaseEntry>;

/** Whether a fingerprint is the recorded one; never true of an unknown one. */
export function isSameFingerprint(recorded: string, now: string): boolean {
  return recorded === now && now !== unknownFingerprint;
}

/** The folder a path is in; '' for the workspace itself. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** A repository's own folder: it goes to the engine and never comes back, for what is in it is run by git on this side. */
export function isGits(path: string): boolean {
  return /(^|\/)\.git(\/|$)/i.test(path);
}
