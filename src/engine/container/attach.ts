import type { Socket } from 'node:net';
import { GbuildError, messageOf } from '../../errors.ts';
import { type Pace, PaceKeeper } from '../../oci/stream/pace.ts';
import { Demuxer } from '../answer/demux.ts';
import type { ContainerIO, ContainerSpec } from './spec.ts';

/** How long a stream may stay open and silent after the container's end, in milliseconds. */
const lingerMilliseconds = 2_000;

/** The taken-over connection of one container: its output flows to the caller, the caller's input to it. */
export interface Attachment {
  /** Rejects when the caller could not take output or give input, or the stream makes no sense. */
  broken: Promise<never>;
  /** Settles when all output was handed over: at the stream's end, or when nothing more came for a while, or too little at this pace. */
  drained(pace: Pace): Promise<void>;
  /** The connection broke before the stream's end. */
  readonly wasCut: boolean;
  /** Whether the rest of the output came too slowly to be waited for. */
  readonly isSlow: boolean;
  close(): void;
}

/** Whether a chunk is being taken, when the last one was (performance.now), the bytes so far, and how the connection fared. */
interface Activity {
  waiting: boolean;
  last: number;
  bytes: number;
  wasCut: boolean;
  isSlow: boolean;
}

/** Starts both directions. One chunk is handed over at a time: a slow caller slows the container, memory stays flat. */
export function attachOutput(socket: Socket, spec: ContainerSpec, io: ContainerIO): Attachment {
  const activity: Activity = { waiting: false, last: performance.now(), bytes: 0, wasCut: false, isSlow: false };
  const pump = pumpOutput(socket, spec.tty, io, activity);
  let detach = () => {};
  const broken = new Promise<never>((_, reject) => {
    pump.catch(reject);
    if (spec.stdin && io.stdin !== undefined) detach = pumpInput(socket, io.stdin, spec.tty, reject);
  });
  broken.catch(() => {});
  return {
    broken,
    drained: (pace) => Promise.race([pump, lingerOn(activity, pump, pace)]),
    get wasCut() {
      return activity.wasCut;
    },
    get isSlow() {
      return activity.isSlow;
    },
    close() {
      detach();
      socket.destroy();
    },
  };
}

async function pumpOutput(socket: Socket, tty: boolean, io: ContainerIO, activity: Activity): Promise<void> {
  const demuxer = new Demuxer();
  for await (const chunk of readChunks(socket, activity)) {
    activity.waiting = true;
    activity.bytes += chunk.length;
    const frames = tty ? [{ stream: 'stdout' as const, data: chunk }] : demuxer.split(chunk);
    for (const { stream, data } of frames) {
      const taken = io.onOutput(stream, data);
      if (taken !== undefined) await taken;
    }
    activity.waiting = false;
    activity.last = performance.now();
  }
}

/** A connection that breaks ends the output; whether the run failed is told by the wait, which breaks too. */
async function* readChunks(socket: Socket, activity: Activity): AsyncGenerator<Buffer> {
  const chunks = socket.iterator({ destroyOnReturn: false });
  while (true) {
    const next = await chunks.next().catch(() => undefined);
    activity.wasCut = next === undefined;
    if (next === undefined || next.done) return;
    yield next.value as Buffer;
  }
}

/** The run ends when its main process ends: a child that still holds the pipe open is not waited for. */
async function lingerOn(activity: Activity, pump: Promise<void>, pace: Pace): Promise<void> {
  let over = false;
  const end = () => {
    over = true;
  };
  pump.then(end, end);
  activity.last = performance.now();
  const keeper = new PaceKeeper(pace);
  let seen = activity.bytes;
  while (!over && (activity.waiting || performance.now() - activity.last < lingerMilliseconds)) {
    const pause = new Promise<void>((resolve) => setTimeout(resolve, 50).unref());
    if (activity.waiting) await pause;
    else
      await keeper.wait(pause, end).catch(() => {
        activity.isSlow = true;
      });
    keeper.moved(activity.bytes - seen);
    seen = activity.bytes;
  }
}

/**
 * Sends stdin and its end; the way out leaves the source usable. A terminal's end is the character EOT: an engine whose
 * half of a terminal's connection is closed drops the output with it.
 */
function pumpInput(
  socket: Socket,
  stdin: NonNullable<ContainerIO['stdin']>,
  tty: boolean,
  fail: (error: GbuildError) => void,
): () => void {
  const endTerminal = () => void socket.write('\x04');
  // A container that no longer reads closes its side: not the caller's affair.
  socket.on('error', () => {});
  // Stays after the detachment: a read on its way may fail later, and nobody else listens.
  stdin.on('error', (thrown) => fail(unreadableInput(thrown)));
  if (tty) stdin.on('end', endTerminal);
  stdin.pipe(socket, { end: !tty });
  return () => {
    stdin.off('end', endTerminal);
    stdin.unpipe(socket);
    stdin.pause();
  };
}

function unreadableInput(thrown: Error): GbuildError {
  return new GbuildError('usage', `standard input cannot be read (${messageOf(thrown)})`, {
    suggestions: ['run it again with a standard input that is open for reading, for instance < /dev/null'],
    cause: thrown,
  });
}
