import { randomBytes } from 'node:crypto';
import { Flags } from '@oclif/core';
import type { Host } from '../host.ts';
import { openRun } from '../pipeline/engine-session.ts';
import type { Frozen } from '../pipeline/ready-toolchain.ts';
import { type RunReport, runNamed } from '../pipeline/run-named.ts';
import type { TaskStreams } from '../pipeline/run-tasks.ts';
import { formatSeconds } from '../reporter/format.ts';
import { BaseCommand, engineFlags } from './base.ts';
import { openStop } from './stop.ts';

/** Flags of every command that runs tasks. */
export const taskFlags = {
  ...engineFlags,
  frozen: Flags.boolean({
    description:
      'fail when gbuild.lock is missing or does not fit, instead of writing it (in CI: when it does not fit)',
    allowNo: true,
  }),
};

export interface TaskCommandFlags {
  directory?: string | undefined;
  quiet: boolean;
  verbose: boolean;
  host?: string | undefined;
  context?: string | undefined;
  frozen?: boolean | undefined;
}

/** A command whose work is to run tasks of the repository: their output passes through, the exit code is the task's own. */
export abstract class TaskCommand extends BaseCommand {
  protected async runTasks(flags: TaskCommandFlags, names: string[], args: string[] = []): Promise<RunReport> {
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    using stop = openStop((text) => progress.warn(text));
    const places = { host, installDir: this.config.root };
    const runId = newRunId();
    const { session, engine } = await openRun(places, flags, runId, progress);
    try {
      const report = await runNamed({
        ...places,
        session,
        engine,
        runId,
        names,
        args,
        frozen: frozenOf(flags, host),
        streams: this.openStreams(host),
        progress,
        stop,
      });
      progress.note(summarise(report));
      return report;
    } finally {
      engine.close();
    }
  }

  /** With --json stdout belongs to the answer, so the tasks' output goes to stderr. */
  protected openStreams(host: Host): TaskStreams {
    const json = this.jsonEnabled();
    return {
      stdout: json ? process.stderr : process.stdout,
      stderr: process.stderr,
      prefixed: host.isCI,
      ...(host.isTerminal && !host.isCI && !json && { terminal: openTerminal() }),
    };
  }
}

/** --frozen wants a lock that fits, --no-frozen takes none amiss; CI's agents must not change one that is there. */
export function frozenOf({ frozen }: { frozen?: boolean | undefined }, host: Host): Frozen {
  if (frozen !== undefined) return frozen ? 'always' : 'never';
  return host.isCI ? 'if-locked' : 'never';
}

/** Names of runs sort by time and never meet. */
export function newRunId(): string {
  const time = new Date()
    .toISOString()
    .replaceAll(/[^0-9]/g, '')
    .slice(0, 14);
  return `${time}-${randomBytes(4).toString('hex')}`;
}

/** The caller's terminal, as a container's needs to know it. */
export function openTerminal(): NonNullable<TaskStreams['terminal']> {
  const { columns, rows } = process.stdout;
  return {
    columns,
    rows,
    onResize: (call) => process.stdout.on('resize', () => call(process.stdout.columns, process.stdout.rows)),
  };
}

function summarise({ tasks, toolchain, seconds }: RunReport): string {
  const names = tasks.map((task) => task.name).join(', ');
  return `${names} passed with ${toolchain.name} ${toolchain.version} in ${formatSeconds(seconds)}`;
}
