import { createHash, type Hash } from 'node:crypto';
import { closeSync, constants, lstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { askGit } from '../git/git.ts';
import { findRepository } from '../git/git-repository.ts';
import { findSubmodule } from '../git/submodule.ts';
import { isPointer, mostPointer } from './lfs.ts';
import { readCommitTree, type TreeEntry } from './read-tree.ts';
import { readCommit } from './revision.ts';

/** Number of files to hash before the event loop gets a turn. */
const batch = 500;

/**
 * Describes how a folder differs from a commit of its repository. Undefined where it equals that commit: every path
 * with the blob's bytes and mode, submodules at their commits, nothing ignored or untracked. git's own status skips
 * ignored files, filters, line ends, sparse checkouts and files that are marked as unchanged.
 */
export async function findDifference(dir: string, commit: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const others = ['ls-files', '--others', '--directory', '--no-empty-directory', '-z', '--', '.'];
  const { exitCode, stdout, stderr } = await askGit(dir, others, env);
  if (exitCode !== 0) return `git does not say what is in it: ${stderr.trim()}`;
  if (stdout !== '') return `${stdout.split('\0')[0]} is not in the commit`;
  return findTrackedDifference(dir, commit, env);
}

/** Describes how the tracked paths of a folder differ from a commit. */
export async function findTrackedDifference(
  dir: string,
  commit: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const reader = new BlobHasher();
  for (const [at, entry] of (await readCommitTree(dir, commit, env)).entries()) {
    if (at % batch === batch - 1) await new Promise((resolve) => setImmediate(resolve));
    const difference =
      entry.mode === '160000' ? await compareSubmodule(dir, entry, env) : compareEntry(dir, entry, reader);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function compareEntry(dir: string, { mode, id, size, path }: TreeEntry, hasher: BlobHasher): string | undefined {
  const file = join(dir, path);
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return `${path} is not there`;
  const isLink = mode === '120000';
  if (isLink !== stats.isSymbolicLink() || (!isLink && !stats.isFile())) return `${path} is of another kind`;
  if (!isLink && (mode === '100755') !== ((stats.mode & 0o100) !== 0)) return `${path} has another mode`;
  const isSame = isLink
    ? hasher.hash(id, readlinkSync(file, { encoding: 'buffer' })) === id
    : stats.size === size && hasher.hashFile(id, file, stats.size) === id;
  if (!isSame) return `${path} has other bytes`;
  return hasher.isPointer ? `${path} is a pointer of git-lfs` : undefined;
}

async function compareSubmodule(
  dir: string,
  { id, path }: TreeEntry,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const submodule = join(dir, path);
  const parent = findRepository(dir);
  if (parent === undefined || findSubmodule(parent, submodule) === undefined)
    return `the submodule ${path} is not checked out`;
  if ((await readCommit(submodule, env))?.id !== id) return `the submodule ${path} is at another commit`;
  const difference = await findDifference(submodule, id, env);
  return difference === undefined ? undefined : `${path}: ${difference}`;
}

/** Computes object ids of blobs: the hash of `blob SIZE`, a zero byte and the bytes. */
class BlobHasher {
  readonly #buffer = Buffer.alloc(1 << 20);
  /** Whether the last file was a pointer of git-lfs. */
  isPointer = false;

  hash(like: string, bytes: Buffer): string {
    this.isPointer = false;
    return begin(like, bytes.length).update(bytes).digest('hex');
  }

  hashFile(like: string, file: string, size: number): string {
    const hash = begin(like, size);
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      this.isPointer = false;
      for (let first = true; ; first = false) {
        const count = readSync(descriptor, this.#buffer, 0, this.#buffer.length, null);
        if (count === 0) return hash.digest('hex');
        const bytes = this.#buffer.subarray(0, count);
        if (first && size <= mostPointer) this.isPointer = isPointer(bytes);
        hash.update(bytes);
      }
    } finally {
      closeSync(descriptor);
    }
  }
}

function begin(like: string, size: number): Hash {
  return createHash(like.length === 64 ? 'sha256' : 'sha1').update(`blob ${size}\0`);
}
