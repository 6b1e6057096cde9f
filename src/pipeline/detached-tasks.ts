import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoint } from '../engine/endpoint.ts';
import { isDetached, type Watched } from '../engine/resume.ts';
import type { Keeper } from '../engine/sweep.ts';
import { GbuildError } from '../errors.ts';
import type { Host } from '../host.ts';
import { digestOf } from '../oci/digest.ts';
import { writeBeside } from '../spec/write-beside.ts';
import type { EngineChoice } from './engine-session.ts';

/** A task that goes on, on an engine that was lost: all that one needs to watch it again. */
export interface DetachedTask {
  runId: string;
  task: string;
  repository: string;
  rootDir: string;
  /** As DOCKER_HOST would spell it. */
  engine: string;
  choice: EngineChoice;
  watched: Watched;
  reports: string[];
  log: string;
  /** What stands beside the tasks of the run, and ends with them. */
  services?: { name: string; id: string; log: string }[];
  /** Where the engine has the workspace in a volume: what comes back of it, and what it takes to look into it. */
  copy?: { volume: string; image: string };
}

/** Remembers a task whose engine stays away, and says how one gets back to it; another failure is passed on. */
export function detachTask(
  host: Host,
  failure: unknown,
  about: Omit<DetachedTask, 'watched' | 'engine' | 'choice'>,
  endpoint: Endpoint,
): unknown {
  if (!isDetached(failure)) return failure;
  const { watched } = failure.facts;
  const record: DetachedTask = { ...about, engine: endpoint.url, choice: nameOf(endpoint), watched };
  const dir = dirOf(host);
  mkdirSync(dir, { recursive: true });
  writeBeside(join(dir, fileOf(record)), `${JSON.stringify(record, undefined, 2)}\n`);
  const { code, message, facts } = failure;
  return new GbuildError(code, `${about.task}: ${message}`, {
    suggestions: [`gbuild attach ${about.runId}`, 'gbuild doctor'],
    cause: failure,
    facts: { ...facts, run: about.runId, task: about.task },
  });
}

function nameOf({ url, context, machine }: Endpoint): EngineChoice {
  if (machine !== undefined) return { machine };
  return context === undefined ? { host: url } : { context };
}

/** All that are remembered, the oldest first. One that cannot be read is none. */
export function readDetached(host: Host): DetachedTask[] {
  const names = listFiles(host).sort();
  return names.flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(dirOf(host), name), 'utf8')) as DetachedTask];
    } catch {
      return [];
    }
  });
}

/** This memory, as an engine is to heed it; each user of a machine has one. */
export function openKeeper(host: Host): Keeper {
  const name = digestOf(Buffer.from(host.stateDir)).slice('sha256:'.length, 'sha256:'.length + 12);
  return { name, runs: () => new Set(listFiles(host).map((file) => file.split('.')[0]!)) };
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

function listFiles(host: Host): string[] {
  try {
    return readdirSync(dirOf(host)).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}
