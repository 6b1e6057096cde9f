import { chmodSync, rmdirSync, rmSync } from 'node:fs';
import type { ReadEntry } from '../../oci/tar/untar.ts';
import { unknownFingerprint } from '../../workspace/unknown-fingerprint.ts';
import { readContent } from '../read/hash-file.ts';
import { readNode } from '../read/read-local.ts';
import { RealFolders } from '../tree/real-folders.ts';
import { staysInside } from '../tree/safe-path.ts';
import { folderOf, isSameFingerprint, type Node, type SyncBase, type Tree } from '../tree/tree.ts';
import { StagingDir } from './staging-dir.ts';

export interface ApplyInput {
  rootDir: string;
  /** Paths of the volume; its files must be fetched. */
  remote: Tree;
  /** Base that is updated with each applied change. */
  base: SyncBase;
  /** Whether the caller's edit of a path wins over the incoming change: git does not ignore the path. */
  isGuarded: (path: string) => boolean;
}

/** Counts of applied changes, and the names of those that were not applied. */
export interface ApplyReport {
  files: number;
  bytes: number;
  removed: number;
  /** Paths that were edited here meanwhile and stay. */
  kept: string[];
  /** Refused paths, as `path: why`. */
  refused: string[];
}

/**
 * Writes the engine's changes into the workspace and nowhere else. The engine is not trusted: only requested paths are
 * written, only below real folders, and as whole files by a rename. Devices, links that lead out, and set-id bits are
 * refused.
 */
export class ChangeApplier implements Disposable {
  readonly report: ApplyReport = { files: 0, bytes: 0, removed: 0, kept: [], refused: [] };
  readonly #input: ApplyInput;
  readonly #staging: StagingDir;
  #folders: RealFolders;
  readonly #modes: [hostDir: string, mode: number][] = [];

  constructor(input: ApplyInput) {
    this.#input = input;
    this.#staging = new StagingDir(input.rootDir);
    this.#folders = new RealFolders(input.rootDir);
  }

  /** Removes a path that is deleted there and unchanged here; a folder only when it is empty. */
  remove(path: string): void {
    const { base, rootDir } = this.#input;
    const recorded = base.get(path);
    base.delete(path);
    const now = this.#folders.has(folderOf(path)) ? readNode(`${rootDir}/${path}`) : undefined;
    if (now === undefined || now.kind !== recorded?.kind) return;
    if (now.kind === 'directory') {
      removeEmpty(`${rootDir}/${path}`);
      this.#folders = new RealFolders(rootDir);
    } else if (this.#isAsRecorded(path, now, recorded)) {
      rmSync(`${rootDir}/${path}`, { force: true });
      this.report.removed += 1;
    } else if (this.#input.isGuarded(path)) this.report.kept.push(path);
  }

  /** Makes a folder, or sets its mode; it stays writable while files are written into it. */
  makeFolder(path: string): void {
    const { remote, base, rootDir } = this.#input;
    const node = remote.get(path)!;
    if (!this.#folders.ensure(path, node.mode | 0o700)) {
      this.#refuse(path, 'something else than a folder is in its place here');
      return;
    }
    this.#modes.push([`${rootDir}/${path}`, node.mode]);
    const mode = node.fingerprint;
    base.set(path, { kind: 'directory', content: '', local: mode, remote: mode });
  }

  /** Receives an entry of an archive, for a requested path that has not come yet. */
  async receive(path: string, { header, content }: ReadEntry): Promise<void> {
    const node = this.#input.remote.get(path)!;
    const isAsListed = header.type === node.kind;
    if (!isAsListed) return this.#refuse(path, `a ${header.type} came for a ${node.kind}`);
    if (!this.#folders.ensure(folderOf(path))) return this.#refuse(path, 'here a folder above it is missing or a link');
    if (header.type === 'symlink') this.#receiveLink(path, header.linkTarget ?? '');
    else await this.#receiveFile(path, node, header.mtime, content);
  }

  /** Sets the modes of folders, after their files are written. */
  finish(): void {
    for (const [hostDir, mode] of this.#modes.reverse()) chmodSync(hostDir, mode);
  }

  [Symbol.dispose](): void {
    this.#staging[Symbol.dispose]();
  }

  async #receiveFile(path: string, node: Node, mtime: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    const { digest, file } = await this.#staging.write(content, { mode: node.mode, mtime });
    if (node.setsId) this.report.refused.push(`${path}: it came without its set-user-id or set-group-id bit`);
    this.#place(path, file, digest);
  }

  #receiveLink(path: string, target: string): void {
    if (!staysInside(path, target)) this.#refuse(path, `the link leads out of the workspace, to ${target}`);
    else this.#place(path, this.#staging.link(target), target);
  }

  #place(path: string, file: string, content: string): void {
    const { rootDir, remote, base, isGuarded } = this.#input;
    const to = `${rootDir}/${path}`;
    const now = readNode(to);
    if (now?.kind === 'directory') {
      this.#refuse(path, 'a folder is in its place here');
      return;
    }
    const node = remote.get(path)!;
    // The file may be unchanged: its fingerprint there was lost with the engine.
    const isUnsure = base.get(path)?.remote === unknownFingerprint && now?.kind === node.kind && now.mode === node.mode;
    if (isUnsure && hasContent(to, now, content)) {
      base.set(path, { kind: node.kind, content, local: now.fingerprint, remote: node.fingerprint });
      return;
    }
    const isFree = !isGuarded(path) || this.#isAsRecorded(path, now, base.get(path));
    if (!isFree && !hasContent(to, now, content)) {
      base.delete(path);
      this.report.kept.push(path);
      return;
    }
    this.#staging.moveTo(file, to);
    this.report.files += 1;
    this.report.bytes += node.kind === 'file' ? node.size : 0;
    const own = readNode(to)!;
    base.set(path, { kind: node.kind, content, local: own.fingerprint, remote: node.fingerprint });
  }

  #isAsRecorded(path: string, now: Node | undefined, recorded: ReturnType<SyncBase['get']>): boolean {
    if (now === undefined) return recorded === undefined || !this.#input.isGuarded(path);
    if (recorded === undefined || now.kind !== recorded.kind) return false;
    if (isSameFingerprint(recorded.local, now.fingerprint)) return true;
    return recorded.local === unknownFingerprint && hasContent(`${this.#input.rootDir}/${path}`, now, recorded.content);
  }

  #refuse(path: string, why: string): void {
    this.report.refused.push(`${path}: ${why}`);
  }
}

function hasContent(hostPath: string, node: Node | undefined, content: string): boolean {
  if (node?.kind === 'symlink') return node.target === content;
  return node?.kind === 'file' && readContent(hostPath)?.digest === content;
}

function removeEmpty(hostDir: string): void {
  try {
    rmdirSync(hostDir);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw thrown;
  }
}
