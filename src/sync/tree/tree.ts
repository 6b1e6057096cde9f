import { unknownFingerprint } from '../../workspace/unknown-fingerprint.ts';
/** Path of a workspace, on either side. */
export interface Node {
  kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Permission bits. */
  mode: number;
  /** Size in bytes, for files. */
  size: number;
  /**
   * Fingerprint: changes whenever the content may have changed. Built from mode, size, times and inode of a file, the
   * mode of a folder, the target of a link. A file's is not comparable across sides.
   */
  fingerprint: string;
  /** Modification time in milliseconds since 1970; only on this side. */
  mtime?: number;
  /** Whether it would run as its owner or group. */
  setsId?: boolean;
  /** Target of a symlink. */
  target?: string;
  /** Facts of the engine's side: kind, mode, size, change time and inode in one text. */
  facts?: string;
}

/** Values by path; a `Map` fits. */
export interface PathMap<Value> extends Iterable<[path: string, value: Value]> {
  readonly size: number;
  has(path: string): boolean;
  get(path: string): Value | undefined;
  set(path: string, value: Value): unknown;
  delete(path: string): boolean;
  keys(): Iterable<string>;
}

/** Tree of paths with `/`, relative to the workspace, each folder before its content. */
export type Tree = PathMap<Node>;

/** State of one path at the last common state. */
export interface SyncBaseEntry {
  kind: Node['kind'];
  /** Content: sha256 of a file, the target of a link, empty for a folder. */
  content: string;
  /** Fingerprints here and on the engine. */
  local: string;
  remote: string;
}

/** Last synced state: every path that was equal on both sides. */
export type SyncBase = PathMap<SyncBaseEntry>;

/** Whether a fingerprint is the recorded one; never true for an unknown one. */
export function isSameFingerprint(recorded: string, now: string): boolean {
  return recorded === now && now !== unknownFingerprint;
}

/** Returns the folder of a path; '' for the workspace itself. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/**
 * Whether the path is in a `.git` folder: it is sent to the engine and never comes back, because git on this side would
 * run its content.
 */
export function isGits(path: string): boolean {
  return /(^|\/)\.git(\/|$)/i.test(path);
}
