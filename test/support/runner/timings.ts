import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { testCacheDir } from './cache-dir.ts';

export const timingsDir = join(testCacheDir, 'timings');

/** Time of one test file (its tests, hooks and imports) or of one step of set-up, in seconds. */
export interface Timing {
  kind: 'file' | 'step';
  /** Path of a file from the checkout's root, or the object that a step makes. */
  name: string;
  seconds: number;
}

/** Times of one run of the suite. */
export interface RunTimings {
  /** Names of the projects of vitest.config.ts. */
  projects: string[];
  /** Time in ISO 8601. */
  startedAt: string;
  /** Time of the whole run, in seconds. */
  seconds: number;
  timings: Timing[];
}

/** Variable with the file to which every process of a run appends its steps, one JSON object a line. */
const stepsVariable = 'GBUILD_TEST_STEPS';

/** Starts the list of a run's steps, for this process and all its children. */
export function openSteps(hostFile: string): void {
  mkdirSync(dirname(hostFile), { recursive: true });
  writeFileSync(hostFile, '');
  process.env[stepsVariable] = hostFile;
}

export function readSteps(hostFile: string): Timing[] {
  if (!existsSync(hostFile)) return [];
  const lines = readFileSync(hostFile, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Timing);
}

/** Does a step of set-up and records its time, whether it succeeds or fails. */
export async function timeStep<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    return await work();
  } finally {
    noteStep(name, (performance.now() - started) / 1000);
  }
}

/** Does a blocking step of set-up and records its time. */
export function timeStepSync<T>(name: string, work: () => T): T {
  const started = performance.now();
  try {
    return work();
  } finally {
    noteStep(name, (performance.now() - started) / 1000);
  }
}

/** Records a step that was timed in another place. */
export function noteStep(name: string, seconds: number): void {
  const hostFile = process.env[stepsVariable];
  if (hostFile === undefined) return;
  const timing: Timing = { kind: 'step', name, seconds };
  // One write of a short line: concurrent processes do not mix their lines.
  appendFileSync(hostFile, `${JSON.stringify(timing)}\n`);
}

/** Number of runs whose timings are kept. */
const maxRuns = 100;

/** Writes a run's timings and removes those of the oldest runs. Returns the file. */
export function writeTimings(hostDir: string, run: RunTimings): string {
  mkdirSync(hostDir, { recursive: true });
  const hostFile = join(hostDir, `${run.startedAt.replaceAll(':', '-')}.json`);
  const temporary = join(hostDir, `.${basename(hostFile)}.${process.pid}`);
  writeFileSync(temporary, `${JSON.stringify(run, undefined, 1)}\n`);
  renameSync(temporary, hostFile);
  for (const name of listRuns(hostDir).slice(0, -maxRuns)) rmSync(join(hostDir, name));
  return hostFile;
}

/** Reads every file's and step's time from the latest run that has it. */
export function readLatestTimings(hostDir: string): Timing[] {
  const latest = new Map<string, Timing>();
  for (const name of listRuns(hostDir))
    for (const timing of readRun(join(hostDir, name)).timings) latest.set(timing.name, timing);
  return [...latest.values()];
}

/** Lists the files of a folder's runs, the latest last. */
function listRuns(hostDir: string): string[] {
  if (!existsSync(hostDir)) return [];
  return readdirSync(hostDir)
    .filter((name) => /^\d.*\.json$/.test(name))
    .sort();
}

export function readRun(hostFile: string): RunTimings {
  return JSON.parse(readFileSync(hostFile, 'utf8')) as RunTimings;
}

/** Formats the longest times of a run, a line each. */
export function formatDearest({ timings }: RunTimings, count: number): string[] {
  const dearest = [...timings].sort((a, b) => b.seconds - a.seconds).slice(0, count);
  return dearest.map(({ kind, name, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${kind}  ${name}`);
}
