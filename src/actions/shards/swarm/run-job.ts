import { setTimeout as sleep } from 'node:timers/promises';
import type { JobFile, JobSpec, Swarm, SwarmNode, SwarmTask } from '../../../engine/swarm/swarm.ts';
import { GbuildError } from '../../../errors.ts';
import type { ShardIO } from '../executor/executor.ts';
import type { ShardOutput } from './shard-output.ts';

/** Job to run once, and the reader of its output. */
export interface JobRun {
  swarm: Swarm;
  /** Spec without the files, which are made for this run. */
  spec: Omit<JobSpec, 'files'>;
  /** Absolute paths in the container. */
  files: { path: string; content: Buffer }[];
  registryAuth: string | undefined;
  output: ShardOutput;
  io: ShardIO;
  /** Signal that a task exceeded its time limit. */
  late: AbortSignal;
}

/** End of a job: its output is complete, or the cluster lost its node. */
export type JobEnd = { kind: 'over' } | { kind: 'lost'; node: SwarmNode };

const pauseMilliseconds = 500;
/** Milliseconds: the wait of a job before its reason is reported, and the silence of a log after its job has ended. */
const silenceTimeout = 5_000;

/**
 * Runs a job on the cluster and removes everything afterwards. Throws the reason of a stop or of a time limit, and
 * `engine-failed` where the cluster could not run it.
 */
export async function runJob(run: JobRun): Promise<JobEnd> {
  const { swarm, spec, io, late } = run;
  const stop = AbortSignal.any([io.stop.ask, late]);
  stop.throwIfAborted();
  const files: JobFile[] = [];
  const watch: Watch = { service: '', task: undefined };
  try {
    for (const [at, { path, content }] of run.files.entries()) {
      const name = `${spec.name}-${at}`;
      files.push({ id: await swarm.createSecret(name, content), name, path });
    }
    watch.service = await swarm.startJob({ ...spec, files }, run.registryAuth);
    return await watchJob(run, watch, stop);
  } finally {
    // Objects that cannot be removed now carry the run's labels.
    if (watch.service !== '') await swarm.removeJob(watch.service).catch(() => {});
    for (const { id } of files) await swarm.removeSecret(id).catch(() => {});
  }
}

interface Watch {
  service: string;
  /** Last seen state of the task. */
  task: SwarmTask | undefined;
}

async function watchJob(run: JobRun, watch: Watch, stop: AbortSignal): Promise<JobEnd> {
  const { output } = run;
  const done = new AbortController();
  const stopped = whenAborted(stop);
  const followed = follow(run, watch, done.signal);
  const ended = poll(run, watch, done.signal);
  for (const each of [stopped, followed, ended]) each.catch(() => {});
  try {
    const over = output.over.then((): JobEnd => ({ kind: 'over' }));
    const end = await Promise.race([over, stopped, followed.then(() => ended), ended]);
    if (end.kind !== 'ended') return end;
    await Promise.race([untilSilent(output, silenceTimeout, done.signal), over, stopped]);
    done.abort();
    await followed.catch(() => {});
    if (!output.isOver) await readRest(run, watch, stop);
    return output.isOver ? { kind: 'over' } : await judgeEnd(run, watch.task!);
  } finally {
    done.abort();
    await followed.catch(() => {});
  }
}

/** Reads the end of the log: following it may miss the last lines. */
function readRest({ swarm, output }: JobRun, { service }: Watch, signal: AbortSignal): Promise<void> {
  return swarm.readOutput({ service, follow: false, skip: { ...output.seen }, signal, onOutput: take(output) });
}

/**
 * Milliseconds without output after which a log is read once from its beginning. The time doubles each time, up to the
 * second number.
 */
const [firstSilence, lastSilence] = [3_000, 60_000];

/**
 * Follows the log until the output is complete. The cluster may lose lines while the follow request starts: in silence
 * the log is read once, from the last seen position.
 */
async function follow(run: JobRun, watch: Watch, signal: AbortSignal): Promise<void> {
  const { swarm, output } = run;
  for (let silence = firstSilence; !output.isOver; ) {
    const before = countSeen(output);
    const over = new AbortController();
    const reading = swarm.readOutput({
      service: watch.service,
      follow: true,
      skip: { ...output.seen },
      signal: AbortSignal.any([signal, over.signal]),
      onOutput: take(output),
    });
    try {
      await Promise.race([reading, untilSilent(output, silence, signal)]);
    } finally {
      over.abort();
      await reading.catch(() => {});
    }
    await readRest(run, watch, signal);
    silence = countSeen(output) > before ? firstSilence : Math.min(2 * silence, lastSilence);
  }
}

function countSeen({ seen }: ShardOutput): number {
  return seen.stdout + seen.stderr;
}

function take(output: ShardOutput) {
  return (stream: 'stdout' | 'stderr', chunk: Buffer) => output.take(stream, chunk);
}

/** Polls the job and its node until the job ends or is lost. */
async function poll(run: JobRun, watch: Watch, done: AbortSignal): Promise<{ kind: 'ended' } | JobEnd> {
  const { swarm, io } = run;
  const began = performance.now();
  let isTold = false;
  for (;;) {
    const task = await swarm.findTask(watch.service);
    watch.task = task ?? watch.task;
    if (task?.state === 'refused') throw refused(run, task);
    if (task?.state === 'ended') return { kind: 'ended' };
    const node = task?.node === undefined ? undefined : await swarm.readNode(task.node);
    if (node !== undefined && (node.isDown || task?.state === 'lost')) return { kind: 'lost', node };
    const isWaiting = task === undefined || task.state === 'waiting';
    if (isWaiting && !isTold && performance.now() - began > silenceTimeout) {
      io.progress.note(`waiting for a node: ${task?.message || 'the swarm has not looked at the job yet'}`);
      isTold = true;
    }
    await sleep(pauseMilliseconds, undefined, { signal: done });
  }
}

async function untilSilent(output: ShardOutput, milliseconds: number, signal: AbortSignal): Promise<void> {
  for (let before = -1; before !== countSeen(output); ) {
    before = countSeen(output);
    await sleep(milliseconds, undefined, { signal });
  }
}

/** Judges a container that ended before its tasks: its node was drained, or somebody killed it. */
async function judgeEnd({ swarm, spec }: JobRun, { node: id, exitCode, message }: SwarmTask): Promise<JobEnd> {
  const node = id === undefined ? undefined : await swarm.readNode(id);
  if (node !== undefined && !node.isFree) return { kind: 'lost', node };
  throw new GbuildError(
    'engine-failed',
    `the container of the job ${spec.name} ended${exitCode === undefined ? '' : ` with code ${exitCode}`} before its tasks did${node === undefined ? '' : `, on ${node.name}`}: ${message}`,
    {
      suggestions: ['run it again', 'docker node ls', 'raise resources.memory in gbuild.yml if it was killed for it'],
      facts: { job: spec.name, node: node?.name, exitCode },
    },
  );
}

function refused({ spec }: JobRun, { message }: SwarmTask): GbuildError {
  const registry = spec.image.split('/')[0]!;
  return new GbuildError('engine-failed', `a node of the swarm refused to run the job ${spec.name}: ${message}`, {
    suggestions: [
      `docker pull ${spec.image}   # on that node: does it reach ${registry}?`,
      `list ${registry} under "insecure-registries" in the daemon.json of all nodes if it has no certificate that they trust`,
    ],
    facts: { job: spec.name, image: spec.image },
  });
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
