import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sweepPodmanFolders } from '../../engine/endpoint/podman-service.ts';
import { sweepSshFolders } from '../../engine/ssh/folder.ts';
import { type Owner, readOwner } from '../../fs/process-owner.ts';
import { removeAny, sweepTemporaries } from '../../fs/replace-file.ts';
import { sweepTempDirs } from '../../fs/temp-dir.ts';
import type { Host } from '../../host.ts';
import { removeDeadStagingDirs } from '../../sync/pull/staging-dir.ts';
import { sweepLocks } from '../../toolchain/build/builder-lock.ts';
import { sweepWorkDirs } from '../../toolchain/build/work-dir.ts';
import { sweepGitViews } from '../../workspace/git/git-view.ts';
import { findRoot } from '../../workspace/root.ts';
import { sweepRunFolders } from '../run/workspace/run-folder.ts';
import { userConfigFile } from '../session/user-config.ts';
import { openStore } from '../store/store.ts';

/**
 * Removes the temporary files and folders that dead processes left on this machine: in gbuild's own folders, in the
 * system's temporary folder and in the caller's workspace. Returns their paths.
 */
export async function sweepFiles(host: Host): Promise<string[]> {
  const self = readOwner();
  const store = existsSync(join(host.dataDir, 'store')) ? await openStore(host) : undefined;
  return [
    ...((await store?.sweep()) ?? []),
    ...sweepTempDirs(host, self),
    ...sweepWorkDirs(host, self),
    ...sweepLocks(host, self),
    ...sweepSshFolders(),
    ...sweepPodmanFolders(host),
    ...sweepGitViews(),
    ...[host.cacheDir, ...listFolders(host.cacheDir)].flatMap(sweepTemporaries),
    ...listFolders(host.cacheDir).flatMap(sweepOlder),
    ...[host.stateDir, join(host.stateDir, 'detached'), host.configDir, configFolder(host)].flatMap(sweepTemporaries),
    ...sweepWorkspace(host, self),
  ];
}

function sweepWorkspace(host: Host, self: Owner): string[] {
  const rootDir = findWorkspace(host);
  if (rootDir === undefined) return [];
  return [
    ...[rootDir, join(rootDir, '.git')].flatMap(sweepTemporaries),
    ...removeDeadStagingDirs(rootDir),
    ...sweepRunFolders(rootDir, self, host),
  ];
}

function findWorkspace({ cwd, homeDir }: Host): string | undefined {
  try {
    return findRoot(cwd, homeDir).rootDir;
  } catch {
    return undefined;
  }
}

/** Returns the real folder of config.yml: a link may lead to another settings folder. */
function configFolder(host: Host): string {
  try {
    return dirname(realpathSync(userConfigFile(host)));
  } catch {
    return host.configDir;
  }
}

/** Temporary names of gbuild 0.1: an optional digest, an optional extension, and the process id alone. */
const olderName = /^(?:[0-9a-f]{16,}(?:\.[a-z]+)?\.([1-9]\d*)(?:\.clock)?|([1-9]\d*)\.clock)$/;

function sweepOlder(dir: string): string[] {
  const left = readdirSync(dir).filter((name) => {
    const [, pid, ofClock = pid] = olderName.exec(name) ?? [];
    return ofClock !== undefined && isFree(Number(ofClock));
  });
  for (const name of left) removeAny(join(dir, name));
  return left.map((name) => join(dir, name));
}

function isFree(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function listFolders(dir: string): string[] {
  if (!existsSync(dir)) return [];
  const items = readdirSync(dir, { withFileTypes: true });
  return items.filter((item) => item.isDirectory()).map(({ name }) => join(dir, name));
}
