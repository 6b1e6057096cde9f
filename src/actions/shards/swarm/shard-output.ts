import type { PlannedTask } from '../../../plan/planned-task.ts';
import type { StreamName } from '../../../reporter/output.ts';
import type { Mask } from '../../../secrets/mask.ts';
import { headOf, skippedTask, type TaskReport, TaskRun } from '../../run/task-run.ts';
import type { ShardIO } from '../executor/executor.ts';
import { MarkedStream, type StreamPart } from './marked-stream.ts';

/** Reports that the script sent at its end. */
export interface SentReports {
  /** Digest of the tar. */
  sha256: string;
  /** Number of files in the tar. */
  files: number;
  /** Tar in base64. */
  text: string;
}

interface Begun {
  run: TaskRun;
  /** Streams that have not reached the task's end. */
  open: Set<StreamName>;
}

export interface ShardOutputInput {
  token: string;
  tasks: PlannedTask[];
  io: ShardIO;
  mask: Mask;
  /** Called when a task's time is over. */
  onLate: (reason: unknown) => void;
}

interface Stream {
  cut: MarkedStream;
  /** Parts after the end of a task, held until the other stream has reached that end. */
  held: StreamPart[];
  /** Number of ended tasks. */
  ends: number;
  task: number | undefined;
}

/**
 * Splits the output of one job into that of its tasks: see formatShardScript. The streams may differ by any distance.
 */
export class ShardOutput {
  readonly #input: ShardOutputInput;
  readonly #streams: Record<StreamName, Stream>;
  #work: Promise<void> = Promise.resolve();
  readonly #begun = new Map<number, Begun>();
  readonly #reports = new Map<string, TaskReport>();
  readonly #over = new Set<StreamName>();
  readonly #isOver = Promise.withResolvers<void>();
  #sent: (Omit<SentReports, 'text'> & { parts: Buffer[] }) | undefined;
  /** Number of bytes taken from each stream. */
  readonly seen = { stdout: 0, stderr: 0 };

  constructor(input: ShardOutputInput) {
    this.#input = input;
    const open = () => ({ cut: new MarkedStream(input.token), held: [], ends: 0, task: undefined });
    this.#streams = { stdout: open(), stderr: open() };
  }

  /** Settles when the output is complete. */
  get over(): Promise<void> {
    return this.#isOver.promise;
  }

  get isOver(): boolean {
    return this.#over.size === 2;
  }

  get reports(): SentReports | undefined {
    if (this.#sent === undefined) return undefined;
    const { parts, ...said } = this.#sent;
    return { ...said, text: Buffer.concat(parts).toString('latin1') };
  }

  /** Takes a chunk; settles when the next one may come. */
  take(stream: StreamName, chunk: Buffer): Promise<void> {
    this.seen[stream] += chunk.length;
    this.#streams[stream].held.push(...this.#streams[stream].cut.cut(chunk));
    this.#work = this.#work.then(() => this.#pass());
    return this.#work;
  }

  /**
   * Passes on output. A stream's output of the next task waits until the other stream has reached the end of the
   * previous task.
   */
  async #pass(): Promise<void> {
    const { stdout, stderr } = this.#streams;
    for (;;) {
      const stream = (['stdout', 'stderr'] as const).find((name) => {
        const [one, other] = name === 'stdout' ? [stdout, stderr] : [stderr, stdout];
        return one.held.length > 0 && one.ends <= other.ends;
      });
      if (stream === undefined) return;
      await this.#passPart(stream, this.#streams[stream].held.shift()!);
    }
  }

  async #passPart(stream: StreamName, part: StreamPart): Promise<void> {
    const { task } = this.#streams[stream];
    if (part.kind === 'mark') await this.#obeyMark(stream, part.words);
    else if (task !== undefined) await this.#begun.get(task)!.run.write(stream, part.bytes);
    else if (stream === 'stdout') this.#sent?.parts.push(Buffer.from(part.bytes));
  }

  /** Lists reports in the order of the tasks; those that never started are skipped. */
  listReports(): TaskReport[] {
    return this.#input.tasks.map(({ name, needs }) => {
      const failed = needs.find((need) => this.#reports.get(need)?.state !== 'passed');
      return this.#reports.get(name) ?? skippedTask(name, failed ?? 'the shard');
    });
  }

  /** Closes tasks that started and did not end. */
  async close(): Promise<void> {
    for (const { run, open } of this.#begun.values()) if (open.size > 0) await run[Symbol.asyncDispose]();
  }

  async #obeyMark(stream: StreamName, [verb, first = '', second, oom]: string[]): Promise<void> {
    if (verb === 'begin') {
      this.#streams[stream].task = Number(first);
      if (!this.#begun.has(Number(first))) this.#begin(Number(first));
    } else if (verb === 'end') {
      this.#streams[stream].task = undefined;
      this.#streams[stream].ends += 1;
      const begun = this.#begun.get(Number(first))!;
      begun.open.delete(stream);
      if (begun.open.size === 0) await this.#end(Number(first), Number(second), oom === 'oom');
    } else if (verb === 'reports') {
      this.#sent = { sha256: first, files: Number(second), parts: [] };
    } else {
      this.#over.add(stream);
      if (this.isOver) this.#isOver.resolve();
    }
  }

  #begin(at: number): void {
    const { tasks, io, mask, onLate } = this.#input;
    const task = tasks[at]!;
    const run = new TaskRun(headOf(task, io.logDir), { ...io, mask });
    const { ask } = run.stop;
    if (task.timeout !== undefined) ask.addEventListener('abort', () => onLate(ask.reason), { once: true });
    this.#begun.set(at, { run, open: new Set(['stdout', 'stderr']) });
  }

  async #end(at: number, exitCode: number, wasKilled: boolean): Promise<void> {
    const { run } = this.#begun.get(at)!;
    const report = run.end({ exitCode, oomKilled: exitCode !== 0 && wasKilled });
    this.#reports.set(report.name, report);
    await run[Symbol.asyncDispose]();
  }
}
