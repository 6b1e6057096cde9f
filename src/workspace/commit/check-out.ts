import { closeSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { borrowObjects, copyGit, linkObjects } from '../git/copy-git.ts';
import { runOwnGit, streamOwnGit } from '../git/git.ts';
import { findRepository, type GitRepository } from '../git/git-repository.ts';
import { formatSafeConfig } from '../git/git-view.ts';
import { findSubmodule } from '../git/submodule.ts';
import { BlobReader } from './blob-reader.ts';
import { isPointer, mostPointer, resolvePointers } from './lfs.ts';
import { readCommitTree, type TreeEntry } from './read-tree.ts';

/** Names in a git folder that belong to one machine and not to the commit. */
const ofOneMachine = ['hooks', 'info', 'modules', 'index', 'config.worktree', 'objects'];

/** Settings that override the repository's config of the working tree. */
const asInCommit = '[core]\n\tautocrlf = false\n\tsparseCheckout = false\n\tfileMode = true\n\tsymlinks = true\n';

/**
 * Checks a commit out into a new folder: every path with the commit's bytes and mode, submodules at their commits. No
 * filter and no setting of this machine applies. The folder's own git folder takes its objects from the repository.
 */
export async function checkOutCommit(
  fromDir: string,
  commit: string,
  toDir: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const repository = findRepository(fromDir);
  if (repository === undefined) throw cannotCheckOut(commit, fromDir, 'it is not in a git repository');
  await makeIndex(repository, commit, toDir, env);
  const entries = await readCommitTree(toDir, commit, env);
  const folders = new Folders(toDir);
  const pointers = await writeFiles(toDir, entries, folders, env).catch((error: unknown) => {
    throw cannotCheckOut(commit, fromDir, messageOf(error));
  });
  for (const { id, path, mode } of entries) {
    if (mode !== '160000') continue;
    folders.make(path);
    await checkOutSubmodule(repository, join(repository.topDir, path), id, join(toDir, path), env);
  }
  await resolvePointers(toDir, pointers, join(repository.commonDir, 'lfs'), env);
  await runOwnGit(toDir, ['update-index', '-q', '--refresh'], env);
}

/**
 * Makes the new folder's git folder, with the commit in HEAD and index; git refuses paths that lead out of the folder.
 */
async function makeIndex(
  repository: GitRepository,
  commit: string,
  toDir: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const gitDir = join(toDir, '.git');
  mkdirSync(toDir, { recursive: true });
  copyGit(repository, gitDir, borrowObjects(repository.commonDir));
  for (const name of ofOneMachine) rmSync(join(gitDir, name), { recursive: true, force: true });
  linkObjects(join(repository.commonDir, 'objects'), join(gitDir, 'objects'));
  writeFileSync(join(gitDir, 'config'), `${formatSafeConfig(repository)}${asInCommit}`, 'latin1');
  writeFileSync(join(gitDir, 'HEAD'), `${commit}\n`);
  const read = await runOwnGit(toDir, ['read-tree', commit], env);
  if (read.exitCode !== 0) throw cannotCheckOut(commit, repository.topDir, read.stderr.trim());
}

/** Writes the files. Returns the paths with pointers of git-lfs. */
async function writeFiles(
  toDir: string,
  entries: TreeEntry[],
  folders: Folders,
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  const files = entries.filter(({ mode }) => mode !== '160000');
  const input = files.map(({ id }) => `${id}\n`).join('');
  const blobs = new BlobReader(streamOwnGit(toDir, ['cat-file', '--batch'], env, input));
  const pointers: string[] = [];
  for (const entry of files) {
    folders.make(dirname(entry.path));
    if (await writeEntry(toDir, entry, blobs)) pointers.push(entry.path);
  }
  await blobs.end();
  return pointers;
}

/** Writes one entry. Returns whether the file is a pointer of git-lfs. */
async function writeEntry(toDir: string, { mode, path }: TreeEntry, blobs: BlobReader): Promise<boolean> {
  const file = join(toDir, path);
  const size = await blobs.next();
  if (mode === '120000') {
    const parts: Buffer[] = [];
    for await (const chunk of blobs.read(size)) parts.push(chunk);
    symlinkSync(Buffer.concat(parts), file);
    return false;
  }
  const descriptor = openSync(file, 'wx', mode === '100755' ? 0o777 : 0o666);
  let begin: Buffer | undefined;
  try {
    for await (const chunk of blobs.read(size)) {
      begin ??= chunk;
      for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at);
    }
  } finally {
    closeSync(descriptor);
  }
  return begin !== undefined && size <= mostPointer && isPointer(begin);
}

async function checkOutSubmodule(
  parent: GitRepository,
  fromDir: string,
  commit: string,
  toDir: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (findSubmodule(parent, fromDir) === undefined)
    throw new GbuildError('workspace-unreadable', `the submodule ${fromDir} is not checked out`, {
      suggestions: ['git submodule update --init --recursive'],
      facts: { submodule: fromDir, commit },
    });
  await checkOutCommit(fromDir, commit, toDir, env);
}

/** Makes folders below the top, and never follows a link in the place of one. */
class Folders {
  readonly #toDir: string;
  readonly #made = new Set(['.']);

  constructor(toDir: string) {
    this.#toDir = toDir;
  }

  make(path: string): void {
    if (this.#made.has(path)) return;
    this.make(dirname(path));
    mkdirSync(join(this.#toDir, path));
    this.#made.add(path);
  }
}

function cannotCheckOut(commit: string, fromDir: string, why: string): GbuildError {
  return new GbuildError('workspace-unreadable', `git could not check out ${commit} of ${fromDir}: ${why}`, {
    suggestions: ['git fsck', 'git fetch --unshallow --tags'],
    facts: { commit, fromDir },
  });
}
