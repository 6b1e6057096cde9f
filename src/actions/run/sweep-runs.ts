import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../engine/engine.ts';
import type { Host } from '../../host.ts';
import type { TaskPlan } from '../../plan/task-plan.ts';
import { pruneMemories } from '../../sync/state/prune-memories.ts';
import { pruneRemembered } from '../session/remembered-lock.ts';
import { TaskTimes } from './task-times.ts';

/** Removes what dead runs left here and on the engine. Never fails: the next run removes the rest. */
export function sweepDeadRuns(
  { engine, host }: { engine: Engine; host: Host },
  { services }: TaskPlan,
): Promise<unknown> {
  return Promise.allSettled([engine.sweep({ networks: services.length > 0 }), pruneRuns(host)]);
}

/** Removes old logs and records of runs from this machine. Never fails. */
export function pruneRuns(host: Host): Promise<unknown> {
  const logs = ['runs', 'builds'].map((name) => pruneLogs(join(host.stateDir, name)));
  return Promise.allSettled([...logs, pruneMemories(host.cacheDir), TaskTimes.prune(host), pruneRemembered(host)]);
}

const keptRuns = 50;

/**
 * Removes all except the newest logs of runs and builds; their names sort by time. Files that another run removes or
 * holds open meanwhile are skipped.
 */
async function pruneLogs(runsDir: string): Promise<void> {
  const names = await readdir(runsDir).catch(() => []);
  const old = names.sort().slice(0, -keptRuns);
  await Promise.allSettled(old.map((name) => rm(join(runsDir, name), { recursive: true, force: true })));
}
