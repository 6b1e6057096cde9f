import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DetachedError, isDetached } from '../../engine/container/resume.ts';
import type { Endpoint } from '../../engine/endpoint/endpoint.ts';
import type { DetachedRuns } from '../../engine/sweep.ts';
import { largestSettings, readTextIfAny } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import { digestOf } from '../../oci/digest.ts';
import { writeTextAtomic } from '../../spec/write/atomic-write.ts';
import type { DetachedTask } from './detached-record.ts';
import type { EngineChoice } from './engine-choice.ts';

/** Detached tasks, the oldest first. */
export interface DetachedTasks {
  tasks: DetachedTask[];
  /** Records that cannot be read: the run, the file, and the fault. */
  unclear: { runId: string; file: string; fault: string }[];
}

/**
 * Records a task of a lost engine. Returns the failure to throw, with the way back to the task. Another failure is
 * returned unchanged.
 */
export async function detachTask(
  host: Host,
  failure: unknown,
  about: Omit<DetachedTask, 'watched' | 'engine' | 'choice'>,
  endpoint: Endpoint,
): Promise<unknown> {
  if (!isDetached(failure)) return failure;
  const { message, watched, facts } = failure;
  const { formatDetached } = await import('./detached-record.ts');
  const record: DetachedTask = { ...about, engine: endpoint.url, choice: nameOf(endpoint), watched };
  const dir = dirOf(host);
  mkdirSync(dir, { recursive: true });
  writeTextAtomic(join(dir, fileOf(record)), formatDetached(record));
  return new DetachedError(`${about.task}: ${message}`, watched, {
    suggestions: [`gbuild attach ${about.runId}`, 'gbuild doctor'],
    cause: failure,
    facts: { ...facts, run: about.runId, task: about.task },
  });
}

function nameOf({ url, context, machine }: Endpoint): EngineChoice {
  if (machine !== undefined) return { machine };
  return context === undefined ? { host: url } : { context };
}

/** Reads all records of this user. The schema is loaded only where there is one, because every run opens this file. */
export async function readDetached(host: Host): Promise<DetachedTasks> {
  const found: DetachedTasks = { tasks: [], unclear: [] };
  const names = listFiles(host).sort();
  if (names.length === 0) return found;
  const { parseDetached } = await import('./detached-record.ts');
  for (const name of names) {
    const file = join(dirOf(host), name);
    const read = parseDetached(readTextIfAny(file, largestSettings) ?? '');
    if ('fault' in read) found.unclear.push({ runId: runOf(name), file, fault: read.fault });
    else found.tasks.push(read.task);
  }
  return found;
}

/**
 * Opens the records of detached runs; an engine's sweep spares their containers. Each user of a machine has their own.
 */
export function openDetachedRuns(host: Host): DetachedRuns {
  const name = digestOf(Buffer.from(host.stateDir)).slice('sha256:'.length, 'sha256:'.length + 12);
  return { name, runs: () => new Set(listFiles(host).map(runOf)) };
}

export function forgetDetached(host: Host, record: DetachedTask): void {
  rmSync(join(dirOf(host), fileOf(record)), { force: true });
}

function dirOf({ stateDir }: Host): string {
  return join(stateDir, 'detached');
}

function fileOf({ runId, task }: Pick<DetachedTask, 'runId' | 'task'>): string {
  return `${runId}.${task.replaceAll('/', '_')}.json`;
}

function runOf(file: string): string {
  return file.split('.')[0]!;
}

function listFiles(host: Host): string[] {
  try {
    return readdirSync(dirOf(host)).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}
