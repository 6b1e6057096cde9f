import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Engine } from '../../../engine/engine.ts';
import { type Owner, ownerIsDead, ownerText, parseOwner } from '../../../fs/process-owner.ts';
import type { Host } from '../../../host.ts';
import { findRepository, type GitRepository } from '../../../workspace/git/git-repository.ts';
import { openDetachedRuns } from '../../session/detached-runs.ts';

/** Name below the git folder: every engine that sees the workspace sees it, and git ignores it. */
const parentName = 'gbuild';

/**
 * Makes a folder for one run in the repository's git folder; the caller removes it. It is as private as the git folder
 * around it: an engine that runs as another user must see it too.
 */
export function makeRunFolder(repository: GitRepository, { owner, runId }: Pick<Engine, 'owner' | 'runId'>): string {
  const runDir = join(repository.gitDir, parentName, `${ownerText(owner)}.${runId}`);
  mkdirSync(runDir, { recursive: true });
  return runDir;
}

/** Removes a run's folder; the last one removes the parent too. */
export function removeRunFolder(runDir: string): void {
  rmSync(runDir, { recursive: true, force: true });
  const parent = dirname(runDir);
  if (existsSync(parent) && readdirSync(parent).length === 0) rmSync(parent, { recursive: true, force: true });
}

/** Removes the folder of a run whose process left it. */
export function removeLeftFolder(rootDir: string, runId: string): void {
  for (const runDir of listRunFolders(rootDir)) if (runDir.endsWith(`.${runId}`)) removeRunFolder(runDir);
}

/** Removes folders that killed runs left, except for continuing tasks. Returns the folders. */
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

/** Whether the error means a git folder that refuses writes. */
export function isReadOnly(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function listRunFolders(rootDir: string): string[] {
  const repository = findRepository(rootDir);
  const parent = repository === undefined ? undefined : join(repository.gitDir, parentName);
  return parent !== undefined && existsSync(parent) ? readdirSync(parent).map((name) => join(parent, name)) : [];
}
