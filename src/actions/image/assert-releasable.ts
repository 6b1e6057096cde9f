import { basename } from 'node:path';
import { parse } from 'semver';
import { parseEntryTag } from '../../channel/entry-tag.ts';
import { GbuildError } from '../../errors.ts';
import { escapeLine, quoteWord } from '../../escape.ts';
import { isTag } from '../../oci/reference.ts';
import type { Revision } from '../../workspace/commit/revision.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { withoutRemembered } from '../session/remembered-lock.ts';
import { describeStale } from '../toolchain/assert-lock-fits.ts';

const mostPathsShown = 10;

/** Parses a version as semver writes it. A tag cannot hold build metadata, and "v1" or "1.0" are no exact versions. */
export function parseReleaseVersion(text: string): string {
  const version = parse(text);
  if (version !== null && version.raw === version.version && version.version === text && isTag(text)) return text;
  throw new GbuildError('usage', `--release ${text}: a release needs an exact version such as 1.0.1 or 2.0.0-rc.1`, {
    suggestions: [`gbuild image --release ${version?.version ?? '1.0.1'}`],
    facts: { version: text },
  });
}

/** Throws where the tag of `--tag` looks like a release version: a tag may move, and a release version never does. */
export function assertMovingTag(text: string): void {
  if (!isTag(text)) {
    throw new GbuildError('usage', `--tag ${text}: not a tag; expected up to 128 letters, digits, "_", "." and "-"`, {
      suggestions: ['gbuild image --tag latest'],
      facts: { tag: text },
    });
  }
  if (parseEntryTag(text) !== undefined)
    throw new GbuildError(
      'usage',
      `--tag ${text}: this is how an entry of a channel is named, and its history never changes`,
      {
        suggestions: ['gbuild channel set production 1.0.1   # moves a channel', 'gbuild image --tag latest'],
        facts: { tag: text },
      },
    );
  if (parse(text)?.version !== text) return;
  throw new GbuildError('usage', `--tag ${text}: this is how a release is named, and a release never moves`, {
    suggestions: [`gbuild image --release ${text}`, 'gbuild image --tag latest'],
    facts: { tag: text },
  });
}

/** Asserts that the tree holds exactly one commit, and that the lock is part of that commit. */
export function assertReleasable(session: WorkspaceSession, revision: Revision | undefined): asserts revision {
  const { rootDir, lock, toolchain } = withoutRemembered(session);
  if (revision === undefined) {
    throw new GbuildError('workspace-no-revision', `${rootDir} has no commit, and a release is of a commit`, {
      suggestions: ['git init   # then git add what the release is made of, and git commit'],
      facts: { rootDir },
    });
  }
  if (lock === undefined) {
    throw new GbuildError('release-refused', `${rootDir} has no gbuild.lock: a release needs a locked toolchain`, {
      suggestions: ['gbuild lock && git add gbuild.lock && git commit -m "Lock the toolchain"'],
      facts: { rootDir },
    });
  }
  if (toolchain.lockState !== 'fits') {
    throw new GbuildError('release-refused', describeStale({ rootDir, toolchain, lock }), {
      suggestions: ['gbuild lock && git add gbuild.lock && git commit -m "Lock the toolchain again"'],
      facts: { rootDir, lockState: toolchain.lockState },
    });
  }
  assertClean(rootDir, revision);
}

/** Asserts that git tracks the spec and the lock. A clean tree does not prove it: ignored files are in no commit. */
export function assertTracked({ rootDir, specFile }: WorkspaceSession, tracked: string[] | undefined): void {
  const needed = ['gbuild.lock', ...(specFile === undefined ? [] : [basename(specFile)])];
  const missing = needed.filter((name) => !tracked?.includes(name));
  if (missing.length === 0) return;
  throw new GbuildError('release-refused', `${rootDir}: git ignores ${missing.join(' and ')}, so no commit holds it`, {
    suggestions: [`git add --force ${missing.join(' ')} && git commit -m "Keep what decides a release"`],
    facts: { rootDir, missing },
  });
}

/** Revisions before and after a build, and the tasks that ran. */
export interface BuildTrace {
  before: Revision;
  after: Revision | undefined;
  tracked: readonly string[];
  /** Names of the tasks that ran. */
  tasks: readonly string[];
  /** Names of lock files that the toolchain's tools write and that a commit must hold. */
  lockFiles: readonly string[];
}

/**
 * Asserts that the build changed no file: outputs belong into .gitignore, and the commit must still be the one that was
 * built.
 */
export function assertUntouched(rootDir: string, { before, after, tracked, tasks, lockFiles }: BuildTrace): void {
  if (after?.commit !== before.commit) {
    throw new GbuildError(
      'workspace-changed',
      `the commit changed from ${before.commit} to ${after?.commit} while it was built`,
      {
        suggestions: ['run the release again'],
      },
    );
  }
  const who = tasks.length === 0 ? 'the build' : `the build (task ${tasks.join(', ')})`;
  const changed = after.dirty.filter((path) => !after.untracked.includes(path));
  if (changed.length > 0)
    throw dirtyTree(rootDir, changed, `${who} changed files that git tracks`, [
      'git diff   # after "gbuild build"',
      'git rm -r --cached PATH   # if the build makes it; then name it in .gitignore',
    ]);
  if (after.untracked.length === 0) return;
  const isLock = (path: string) => lockFiles.includes(basename(path));
  const locks = after.untracked.filter(isLock).map(quoteWord).join(' ');
  const others = after.untracked.filter((path) => !isLock(path));
  const patterns = listUntracked(others, tracked).map((path) => quoteWord(`/${path}`));
  throw dirtyTree(rootDir, after.untracked, `${who} made files that git does not ignore`, [
    // The clean checkout of the release is already removed: the command makes the lock file again.
    ...(locks === ''
      ? []
      : [`gbuild run ${tasks.at(-1)} && git add ${locks} && git commit -m "Lock the dependencies"`]),
    ...(patterns.length === 0
      ? []
      : [
          `printf '%s\\n' ${patterns.join(' ')} >>.gitignore && git add .gitignore && git commit -m "Ignore what the build makes"`,
        ]),
  ]);
}

/** Only the owner knows which of the files belong to the release. */
function assertClean(rootDir: string, { dirty }: Revision): void {
  if (dirty.length === 0) return;
  const commit = dirty.every((path) => path === 'gbuild.lock')
    ? 'git add gbuild.lock && git commit -m "Lock the toolchain"'
    : 'git status   # commit what belongs to the release, and name what tools make in .gitignore';
  const advice = [commit, 'git stash --include-untracked', 'gbuild image   # not a release'];
  throw dirtyTree(rootDir, dirty, 'the tree is not clean', advice);
}

function dirtyTree(rootDir: string, paths: string[], what: string, suggestions: string[]): GbuildError {
  const shown = paths.slice(0, mostPathsShown).map((path) => `  ${escapeLine(path)}`);
  if (paths.length > mostPathsShown) shown.push(`  and ${paths.length - mostPathsShown} more`);
  return new GbuildError('workspace-dirty', `${what} in ${rootDir}:\n${shown.join('\n')}`, {
    suggestions,
    facts: { rootDir, dirty: paths },
  });
}

/** Lists untracked files, each by its highest folder without a tracked file (ends in `/`). */
function listUntracked(untracked: readonly string[], tracked: readonly string[]): string[] {
  const holding = new Set(tracked.flatMap(listFolders));
  const highest = untracked.map((path) => listFolders(path).find((folder) => !holding.has(folder)) ?? path);
  return [...new Set(highest)];
}

/** Lists the folders above a path, from the top. */
function listFolders(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => `${parts.slice(0, at + 1).join('/')}/`);
}
