import { closeSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GbuildError, messageOf } from '../errors.ts';
import { BlobReader } from './blob-reader.ts';
import { copyGit } from './copy-git.ts';
import { runOwnGit, streamOwnGit } from './git.ts';
import { findRepository, type GitRepository } from './git-repository.ts';
import { formatSafeConfig } from './git-view.ts';

/** One entry of a commit's tree. */
interface TreeEntry {
  /** `100644`, `100755`, `120000` (a link) or `160000` (a submodule). */
  mode: string;
  id: string;
  path: string;
}

/**
 * Checks a commit out into a new folder: every path with the bytes and the mode that the commit has, submodules at the commits that it
 * names. No filter and no setting of this machine has a say. The folder's own git folder takes its objects from the repository.
 */
export async function checkOutCommit(
  fromDir: string,
  commit: string,
  toDir: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const repository = findRepository(fromDir);
  if (repository === undefined) throw cannotCheckOut(commit, fromDir, 'it is not in a git repository');
  const entries = await makeIndex(repository, commit, toDir, env);
  const files = entries.filter(({ mode }) => mode !== '160000');
  const input = files.map(({ id }) => `${id}\n`).join('');
  const blobs = new BlobReader(streamOwnGit(toDir, ['cat-file', '--batch'], env, input));
  const folders = new Folders(toDir);
  try {
    for (const entry of files) await writeEntry(toDir, folders, entry, blobs);
    await blobs.end();
  } catch (error) {
    if (error instanceof GbuildError) throw error;
    throw cannotCheckOut(commit, fromDir, messageOf(error));
  }
  for (const { id, path, mode } of entries) {
    if (mode !== '160000') continue;
    folders.make(path);
    await checkOutSubmodule(join(repository.topDir, path), id, join(toDir, path), env);
  }
  await runOwnGit(toDir, ['update-index', '-q', '--refresh'], env);
}

/** The new folder's git folder, with the commit in HEAD and index; git refuses paths that lead out of the folder. */
async function makeIndex(
  repository: GitRepository,
  commit: string,
  toDir: string,
  env: NodeJS.ProcessEnv,
): Promise<TreeEntry[]> {
  const gitDir = join(toDir, '.git');
  mkdirSync(toDir, { recursive: true });
  copyGit(repository, gitDir, repository.commonDir);
  for (const name of ['hooks', 'modules', 'index', 'config.worktree'])
    rmSync(join(gitDir, name), { recursive: true, force: true });
  writeFileSync(join(gitDir, 'config'), formatSafeConfig(repository), 'latin1');
  writeFileSync(join(gitDir, 'HEAD'), `${commit}\n`);
  const read = await runOwnGit(toDir, ['read-tree', commit], env);
  if (read.exitCode !== 0) throw cannotCheckOut(commit, repository.topDir, read.stderr.trim());
  // MODE TYPE OBJECT<tab>PATH
  const tree = await runOwnGit(toDir, ['ls-tree', '-r', '-z', '--full-tree', commit], env);
  if (tree.exitCode !== 0) throw cannotCheckOut(commit, repository.topDir, tree.stderr.trim());
  return tree.stdout
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const tab = line.indexOf('\t');
      const [mode = '', , id = ''] = line.slice(0, tab).split(' ');
      return { mode, id, path: line.slice(tab + 1) };
    });
}

async function writeEntry(toDir: string, folders: Folders, entry: TreeEntry, blobs: BlobReader): Promise<void> {
  const file = join(toDir, entry.path);
  folders.make(dirname(entry.path));
  const size = await blobs.next();
  if (entry.mode === '120000') {
    const parts: Buffer[] = [];
    for await (const chunk of blobs.read(size)) parts.push(chunk);
    symlinkSync(Buffer.concat(parts), file);
    return;
  }
  const descriptor = openSync(file, 'wx', entry.mode === '100755' ? 0o777 : 0o666);
  try {
    for await (const chunk of blobs.read(size))
      for (let at = 0; at < chunk.length; ) at += writeSync(descriptor, chunk, at);
  } finally {
    closeSync(descriptor);
  }
}

async function checkOutSubmodule(
  fromDir: string,
  commit: string,
  toDir: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (findRepository(fromDir)?.topDir !== fromDir)
    throw new GbuildError('workspace-unreadable', `the submodule ${fromDir} is not checked out`, {
      suggestions: ['git submodule update --init --recursive'],
      facts: { submodule: fromDir, commit },
    });
  await checkOutCommit(fromDir, commit, toDir, env);
}

/** Makes folders below the top, and never follows a link that stands in the place of one. */
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
