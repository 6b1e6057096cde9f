import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Engine } from '../../../engine/engine.ts';
import { type Owner, ownerIsDead, ownerText, parseOwner } from '../../../fs/process-owner.ts';
import type { Host } from '../../../host.ts';
import { findRepository, type GitRepository } from '../../../workspace/git/git-repository.ts';
import { openDetachedRuns } from '../../session/detached-runs.ts';

/** Below the git folder: every engine that sees the workspace sees it, and git passes over it. */
const parentName = 'gbuild';

/**
 * Makes a folder for one run in the repository's git folder; the caller removes it. It is as private as the git folder around it:
 * an engine that runs as another user sees it where it sees the workspace.
 */
export function makeRunFolder(repository: GitRepository, { owner, runId }: Pick<Engine, 'owner' | 'runId'>): string {
  const runDir = join(repository.gitDir, parentName, `${ownerText(owner)}.${runId}`);
  mkdirSync(runDir, { recursive: true });
  return runDir;
}

/** The last one takes the parent with it. */
export function removeRunFolder(runDir: string): void {
  rmSync(runDir, { recursive: true, force: true });
  const parent = dirname(runDir);
  if (existsSync(parent) && readdirSync(parent).length === 0) rmSync(parent, { recursive: true, force: true });
}

/** Removes the folder of a run that its process has left. */
export function removeLeftFolder(rootDir: string, runId: string): void {
  for (const runDir of listRunFolders(rootDir)) if (runDir.endsWith(`.${runId}`)) removeRunFolder(runDir);
}

/** Removes what killed runs left, but for tasks that go on; answers the folders. */
export function sweepRunFolders(rootDir: string, self: Owner, host: Host): string[] {
  const going = openDetachedRuns(host).runs();
  const left = listRunFolders(rootDir).filter((runDir) => {
    const [owner = '', runId = ''] = basename(runDir).split('.');
    const parsed = parseOwner(owner);
    return parsed !== undefined && ownerIsDead(parsed, self) && !going.has(runId);
  });
  for (const runDir of left) removeRunFolder(runDir);
  return left;
}

/** A git folder that nobody may write to. */
export function isReadOnly(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function listRunFolders(rootDir: string): string[] {
  const repository = findRepository(rootDir);
  const parent = repository === undefined ? undefined : join(repository.gitDir, parentName);
  return parent !== undefined && existsSync(parent) ? readdirSync(parent).map((name) => join(parent, name)) : [];
}
