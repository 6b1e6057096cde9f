import { basename } from 'node:path';
import { parse } from 'semver';
import { GbuildError } from '../errors.ts';
import { escapeLine } from '../escape.ts';
import { isTag } from '../oci/reference.ts';
import type { Revision } from '../workspace/revision.ts';
import { describeMismatch } from './lock-mismatch.ts';
import type { WorkspaceSession } from './workspace-session.ts';

const mostPathsShown = 10;

/** The version as semver writes it. Build metadata cannot stand in a tag, and "v1" or "1.0" are no exact versions. */
export function parseReleaseVersion(text: string): string {
  const version = parse(text);
  if (version !== null && version.raw === version.version && version.version === text && isTag(text)) return text;
  throw new GbuildError('usage', `--release ${text}: a release needs an exact version such as 1.0.1 or 2.0.0-rc.1`, {
    suggestions: [`gbuild image --release ${version?.version ?? '1.0.1'}`],
    facts: { version: text },
  });
}

/** A tag of `--tag` may move; the name of a release never does, so the one must not be written as the other. */
export function assertMovingTag(text: string): void {
  if (!isTag(text)) {
    throw new GbuildError('usage', `--tag ${text}: no tag; expected up to 128 letters, digits, "_", "." and "-"`, {
      suggestions: ['gbuild image --tag latest'],
      facts: { tag: text },
    });
  }
  if (parse(text)?.version !== text) return;
  throw new GbuildError('usage', `--tag ${text}: this is how a release is named, and a release never moves`, {
    suggestions: [`gbuild image --release ${text}`, 'gbuild image --tag latest'],
    facts: { tag: text },
  });
}

/** A release is of a commit: the tree holds that commit and nothing else, and its lock is part of it. */
export function assertReleasable(session: WorkspaceSession, revision: Revision | undefined): asserts revision {
  const { rootDir, lock, toolchain } = session;
  if (revision === undefined) {
    throw new GbuildError('workspace-no-revision', `${rootDir} has no commit, and a release is of a commit`, {
      suggestions: ['git init && git add -A && git commit'],
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
    throw new GbuildError('release-refused', `${rootDir}/gbuild.lock: ${describeMismatch(toolchain, lock)}`, {
      suggestions: ['gbuild lock && git add gbuild.lock && git commit -m "Lock the toolchain anew"'],
      facts: { rootDir, lockState: toolchain.lockState },
    });
  }
  assertClean(rootDir, revision, 'the tree is not clean');
}

/** What git ignores is in no commit: a clean tree alone does not say that the spec and the lock are in it. */
export function assertTracked({ rootDir, specFile }: WorkspaceSession, tracked: string[] | undefined): void {
  const needed = ['gbuild.lock', ...(specFile === undefined ? [] : [basename(specFile)])];
  const missing = needed.filter((name) => !tracked?.includes(name));
  if (missing.length === 0) return;
  throw new GbuildError('release-refused', `${rootDir}: git ignores ${missing.join(' and ')}, so no commit holds it`, {
    suggestions: [`git add --force ${missing.join(' ')} && git commit -m "Keep what decides a release"`],
    facts: { rootDir, missing },
  });
}

/** After the build: outputs belong into .gitignore, and the commit must still be the one that was built. */
export function assertUntouched(rootDir: string, before: Revision, after: Revision | undefined): void {
  if (after?.commit !== before.commit) {
    throw new GbuildError(
      'workspace-changed',
      `the commit changed from ${before.commit} to ${after?.commit} while it was built`,
      {
        suggestions: ['run the release again'],
      },
    );
  }
  assertClean(rootDir, after, 'the build changed files that git tracks, or made files that it does not ignore');
}

function assertClean(rootDir: string, { dirty }: Revision, what: string): void {
  if (dirty.length === 0) return;
  const shown = dirty.slice(0, mostPathsShown).map((path) => `  ${escapeLine(path)}`);
  if (dirty.length > mostPathsShown) shown.push(`  and ${dirty.length - mostPathsShown} more`);
  throw new GbuildError('workspace-dirty', `${what} in ${rootDir}:\n${shown.join('\n')}`, {
    suggestions: ['git add -A && git commit', 'git stash --include-untracked', 'gbuild image   # not a release'],
    facts: { rootDir, dirty },
  });
}
