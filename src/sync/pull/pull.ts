import type { VolumeLease } from '../../engine/engine.ts';
import { GbuildError } from '../../errors.ts';
import { readTar } from '../../oci/tar/untar.ts';
import { askIgnored } from '../../workspace/git/ignored.ts';
import type { SyncBase, Tree } from '../tree/tree.ts';
import { type ApplyReport, ChangeApplier } from './apply-changes.ts';
import { isIgnored, listUndecided, type PullSides, planPull } from './plan-pull.ts';

export interface PullInput {
  rootDir: string;
  env: NodeJS.ProcessEnv;
  lease: VolumeLease;
  /** Paths of the volume now, and names there that lead out of it. */
  remote: Tree;
  refused: string[];
  /** State of both sides after the push; updated with each change. */
  base: SyncBase;
  sources: { has(path: string): boolean };
  /** Paths as in `planPull`. */
  loose?: string[];
  /** Whether an ignored path comes back too. */
  isWanted: (path: string) => boolean;
  signal: AbortSignal;
}

/**
 * Brings back a run's changes in the volume. A path that was edited here meanwhile stays, and is reported. A forbidden
 * path is refused, and reported.
 */
export async function pull(input: PullInput): Promise<ApplyReport> {
  const { rootDir, env, lease, remote, refused, base, sources, loose, isWanted, signal } = input;
  if (isAnother(remote, base)) throw lostCopy(lease.volume);
  const ignored = new Map<string, boolean>();
  const sides: PullSides = { remote, base, ignored, ...(loose && { loose }) };
  for (let asked = listUndecided(sides); asked.length > 0; asked = listUndecided(sides)) {
    const answer = await askIgnored(rootDir, asked, env);
    for (const each of asked) {
      const path = each.replace(/\/$/, '');
      ignored.set(path, answer.has(path));
    }
  }
  const plan = planPull(sides, isWanted);
  const isAny = plan.fetch.length + plan.folders.length + plan.remove.length > 0;
  const basePaths = new Set(isAny ? base.keys() : []);
  const isGuarded = (path: string) => sources.has(path) || (!basePaths.has(path) && !isIgnored(path, ignored));
  using applier = new ChangeApplier({ rootDir, remote, base, isGuarded });
  const { report } = applier;
  report.refused.push(...refused.map((path) => `${path}: the name leads out of the workspace`));
  report.refused.push(
    ...plan.refused.map((path) => `${path}: neither a file, a folder nor a link, or its name is no text`),
  );
  for (const path of plan.remove) applier.remove(path);
  for (const path of plan.folders) applier.makeFolder(path);
  if (plan.fetch.length > 0) await receiveAll(plan.fetch, applier, lease.pack(plan.fetch, signal), signal);
  applier.finish();
  return report;
}

/**
 * Whether the volume holds none of the sent paths. No task removes them all: the volume was removed meanwhile and made
 * again.
 */
function isAnother(remote: Tree, base: SyncBase): boolean {
  for (const path of base.keys()) if (remote.has(path)) return false;
  return base.size > 0;
}

function lostCopy(volume: string): GbuildError {
  return new GbuildError(
    'engine-failed',
    `nothing that was sent is in the volume ${volume} any more: it was removed on the engine; nothing was changed here`,
    { suggestions: ['gbuild cache rm workspace', 'gbuild test'], facts: { volume } },
  );
}

/** Fetches files of the volume into a folder outside of the workspace. */
export async function fetchInto(
  rootDir: string,
  lease: VolumeLease,
  remote: Tree,
  signal: AbortSignal,
): Promise<ApplyReport> {
  using applier = new ChangeApplier({ rootDir, remote, base: new Map(), isGuarded: () => false });
  const paths = [...remote].flatMap(([path, { kind }]) => (kind === 'file' ? [path] : []));
  if (paths.length > 0) await receiveAll(paths, applier, lease.pack(paths, signal), signal);
  return applier.report;
}

/** Unpacks an archive: each of the `paths` once, and nothing else. */
export async function receiveAll(
  paths: string[],
  applier: ChangeApplier,
  archive: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const awaited = new Set(paths);
  for await (const entry of readTar(archive, 'what the engine gives back')) {
    signal.throwIfAborted();
    const path = entry.header.path.replace(/^\.\//, '');
    if (awaited.delete(path)) await applier.receive(path, entry);
    else applier.report.refused.push(`${path}: it was not asked for`);
  }
  for (const path of awaited) applier.report.refused.push(`${path}: the engine did not give it`);
}
