import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { ContainerIO } from '../../engine/container/spec.ts';
import type { Stop } from '../../host.ts';
import type { PlannedTask } from '../../plan/planned-task.ts';
import { formatSeconds } from '../../reporter/format.ts';
import { describeBrokenLog } from '../../reporter/log-file.ts';
import type { StreamName } from '../../reporter/output.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { Mask } from '../../secrets/mask.ts';
import type { ReachedPort } from './container/publish-ports.ts';
import { MaskedOutput } from './masked-output.ts';

import { limitTime } from './time-limit.ts';

/** Streams for output and input. `terminal` is set when tasks may draw on one. */
export interface TaskStreams {
  stdout: Writable;
  stderr: Writable;
  stdin?: NonNullable<ContainerIO['stdin']>;
  terminal?: NonNullable<ContainerIO['terminal']>;
  /** Whether lines carry their task's name: in CI, and always when tasks may overlap. */
  prefixed: boolean;
}

export interface TaskReport {
  name: string;
  state: 'passed' | 'failed' | 'skipped';
  exitCode?: number;
  seconds?: number;
  /** File of the full output. */
  log?: string;
  /** Addresses of its ports while it ran. */
  ports?: ReachedPort[];
  /** Files of the workspace that the task's `reports` globs match. */
  reports?: string[];
  because?: string;
}

/** Task as its run announces and limits it. */
export interface TaskHead {
  name: string;
  /** Text behind the name in the line that announces the task. */
  text: string;
  /** Time limit in seconds. */
  timeout?: number | undefined;
  /** File of the full output. */
  log: string;
  /** Whether output is appended to an existing log. */
  append?: boolean;
}

/** Streams, limits and masks of a run, for every executor. */
export interface TaskRunInput {
  streams: Pick<TaskStreams, 'stdout' | 'stderr' | 'prefixed'>;
  progress: Progress;
  stop: Stop;
  mask: Mask;
}

/** End of a task's command, as its executor saw it. */
export interface TaskEnd {
  exitCode: number;
  oomKilled: boolean;
  /** Reason why the command could not be started. */
  startError?: string | undefined;
  /** Wall time; counted from the start of the run where the executor does not report it. */
  seconds?: number;
  ports?: ReachedPort[];
  /** Explains an exit code without another explanation. */
  explain?: () => string | undefined;
}

/**
 * One run of a task, the same on every executor. Announces the task, keeps its log and its time limit, masks its
 * output, and explains its end. The executor reports the command's output and its end.
 */
export class TaskRun implements AsyncDisposable {
  /** Stop of the run, with the task's time limit. */
  readonly stop: Stop & Disposable;
  readonly #task: TaskHead;
  readonly #input: TaskRunInput;
  readonly #output: MaskedOutput;
  readonly #began = performance.now();

  /** Prints the line that announces the task, and starts its time. */
  constructor(task: TaskHead, input: TaskRunInput) {
    const { streams, mask, progress } = input;
    const { name, log, append = false } = task;
    this.#task = task;
    this.#input = input;
    this.#output = new MaskedOutput(mask, {
      stdout: streams.stdout,
      stderr: streams.stderr,
      logFile: log,
      append,
      ...(streams.prefixed && { prefix: `${name} | ` }),
    });
    this.stop = limitTime(input.stop, name, task.timeout);
    progress.note(mask.maskText(`> ${name}: ${task.text}`));
  }

  /** Returns a promise where a reader is slower than the task. */
  write(stream: StreamName, chunk: Buffer): void | Promise<void> {
    return this.#output.write(stream, chunk);
  }

  /** Prints how the task ended and returns its report. */
  end({ exitCode, oomKilled, startError, ports = [], explain, ...end }: TaskEnd): TaskReport {
    const { progress, mask } = this.#input;
    const { name, log } = this.#task;
    const seconds = end.seconds ?? (performance.now() - this.#began) / 1000;
    const state = exitCode === 0 ? 'passed' : 'failed';
    const explained = explainExit(exitCode, oomKilled, startError) ?? explain?.();
    const because = explained === undefined ? undefined : mask.maskText(explained);
    progress.note(`${state === 'passed' ? '+' : 'x'} ${name} ${state} (${formatSeconds(seconds)})`);
    if (because !== undefined) progress.warn(`${name}: ${because}`);
    const report: TaskReport = { name, state, exitCode, seconds, log };
    return { ...report, ...(ports.length > 0 && { ports }), ...(because !== undefined && { because }) };
  }

  /** Ends the time limit and the log; an incomplete log is a warning. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop[Symbol.dispose]();
    const { log } = this.#task;
    const failure = await this.#output.end();
    if (failure) this.#input.progress.warn(describeBrokenLog(log, failure));
  }
}

/** Head of a planned task whose log goes to a file of its name in `logDir`. */
export function headOf(task: PlannedTask, logDir: string): TaskHead {
  const { name, timeout } = task;
  return { name, timeout, text: describeCommand(task), log: join(logDir, `${name.replaceAll('/', '_')}.log`) };
}

/** Returns the report of a task that never started. `need` is the unsuccessful task that it needs. */
export function skippedTask(name: string, need: string): TaskReport {
  return { name, state: 'skipped', because: `${need} did not succeed` };
}

/** Adds the files in `rootDir` that the `reports` globs of each task match, for tasks that ran. */
export function withReports(rootDir: string, tasks: PlannedTask[], reports: TaskReport[]): TaskReport[] {
  const globs = new Map(tasks.map((task) => [task.name, task.reports]));
  return reports.map((report) => {
    const wanted = report.state === 'skipped' ? undefined : globs.get(report.name);
    if (wanted === undefined) return report;
    return { ...report, reports: listReports(rootDir, wanted) };
  });
}

/** Lists files of the workspace that a task's `reports` match, sorted. */
export function listReports(rootDir: string, globs: string[]): string[] {
  return globs.length === 0 ? [] : globSync(globs, { cwd: rootDir }).sort();
}

/** Returns the first line of the command, without the shell around it. */
function describeCommand(task: PlannedTask): string {
  const [shell, flag, script, ...args] = task.command;
  const isScript = shell === '/bin/sh' && flag === '-ec';
  const text = isScript ? [script?.replace(/ "\$@"$/, ''), ...args.slice(1)].join(' ') : task.command.join(' ');
  const lines = text.trim().split('\n');
  return lines.length > 1 ? `${lines[0]} ...` : text.trim();
}

/** Explains an exit code that the task itself does not explain. */
function explainExit(exitCode: number, oomKilled: boolean, startError: string | undefined): string | undefined {
  if (oomKilled) return 'it was killed for using more memory than its limit; raise resources.memory in gbuild.yml';
  if (startError !== undefined) return `it could not be started: ${startError}`;
  if (exitCode === 127)
    return 'a command was not found; is it in the toolchain, or installed by a task this one needs?';
  if (exitCode === 126) return 'a command was found but is not executable';
  return undefined;
}
