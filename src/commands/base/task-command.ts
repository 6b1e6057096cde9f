import { randomBytes } from 'node:crypto';
import { Flags } from '@oclif/core';
import { type RunReport, runNamed } from '../../actions/run/run.ts';
import type { TaskStreams } from '../../actions/run/task-run.ts';
import type { RepoContext } from '../../actions/session/context.ts';
import { openRun } from '../../actions/session/open-engine.ts';
import type { ShardsReport } from '../../actions/shards/report.ts';
import type { Frozen } from '../../actions/toolchain/assert-lock-fits.ts';
import type { Host } from '../../host.ts';
import { formatSeconds } from '../../reporter/format.ts';
import { PlainReporter, QuietReporter } from '../../reporter/plain.ts';
import type { PublishedPort } from '../../spec/types.ts';
import { BaseCommand, engineFlags } from './base-command.ts';
import { parsePart, type ShardFlags, summariseShards } from './shard-flags.ts';
import { openStop } from './stop.ts';

/** Flags of every command that runs tasks. */
export const taskFlags = {
  ...engineFlags,
  frozen: Flags.boolean({
    description:
      'fail if gbuild.lock is missing or does not fit, instead of writing it (default in CI if it does not fit)',
    allowNo: true,
  }),
};

export interface TaskCommandFlags {
  directory?: string | undefined;
  quiet: boolean;
  verbose: boolean;
  host?: string | undefined;
  context?: string | undefined;
  machine?: string | undefined;
  frozen?: boolean | undefined;
}

/** Context of a command with an open repository and engine; actions take it unchanged. */
export interface OpenCommand extends RepoContext {
  frozen: Frozen;
}

/** Command for a repository on an engine. */
export abstract class TaskCommand extends BaseCommand {
  /** Opens both, listens to signals during the work, and closes what it opened. */
  protected async withRun<T>(
    flags: TaskCommandFlags,
    work: (open: OpenCommand) => Promise<T>,
    options: { ignoreLock?: boolean } = {},
  ): Promise<T> {
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    using stop = openStop((text) => progress.warn(text));
    const context = { host, installDir: this.config.root, progress };
    const runId = newRunId();
    const { session, engine } = await openRun(context, flags, runId, { ...options, stop });
    try {
      return await work({ ...context, session, engine, runId, stop, frozen: frozenOf(flags, host) });
    } finally {
      engine.close();
    }
  }

  /** Runs tasks of the repository: their output passes through, and the exit code is the failing task's own. */
  protected async runTasks(
    flags: TaskCommandFlags & ShardFlags,
    names: string[],
    args: string[] = [],
    publish: PublishedPort[] = [],
  ): Promise<RunReport> {
    const part = flags.shard === undefined ? undefined : parsePart(flags.shard);
    return this.withRun(flags, async (open) => {
      const streams = this.openStreams(open.host);
      const report = await runNamed({ ...open, names, args, publish, streams, part });
      open.progress.note(summarise(report));
      return report;
    });
  }

  /** Runs tasks in shards, on the engines that the flags name. */
  protected async runShards(
    flags: TaskCommandFlags & ShardFlags,
    names: string[],
    args: string[] = [],
  ): Promise<ShardsReport> {
    const host = this.readHost(flags);
    const progress = this.openProgress(flags, host);
    using stop = openStop((text) => progress.warn(text));
    const { runInShards } = await import('../../actions/shards/run-shards.ts');
    const report = await runInShards({
      host,
      installDir: this.config.root,
      runId: newRunId(),
      names,
      args,
      count: flags.shards,
      on: flags.on,
      registry: flags.registry,
      choice: flags,
      frozen: frozenOf(flags, host),
      streams: this.openStreams({ ...host, isTerminal: false }),
      progress,
      openProgress: (write) =>
        flags.quiet ? new QuietReporter(write) : new PlainReporter({ write, verbose: flags.verbose }),
      stop,
    });
    progress.note(summariseShards(report));
    return report;
  }

  /** With --json stdout is for the result, so the tasks' output goes to stderr. */
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

/**
 * Returns how frozen the lock is: --frozen requires a lock that fits, --no-frozen accepts any, and CI must not change
 * an existing one.
 */
function frozenOf({ frozen }: { frozen?: boolean | undefined }, host: Host): Frozen {
  if (frozen !== undefined) return frozen ? 'always' : 'never';
  return host.isCI ? 'if-locked' : 'never';
}

/** Returns a unique id; ids of runs sort by time, to the millisecond. */
export function newRunId(now = new Date()): string {
  const time = now.toISOString().replaceAll(/[^0-9]/g, '');
  return `${time}-${randomBytes(4).toString('hex')}`;
}

/** Describes the caller's terminal for a container. */
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
  if (names === '') return 'this part has no test files: nothing had to run';
  return `${names} passed with ${toolchain.name} ${toolchain.version} in ${formatSeconds(seconds)}`;
}
