import type { Socket } from 'node:net';
import { GbuildError, messageOf } from '../../errors.ts';
import { type Pace, PaceKeeper } from '../../oci/stream/pace.ts';
import { Demuxer } from '../answer/demux.ts';
import type { ContainerIO, ContainerSpec } from './spec.ts';

/** Milliseconds for which a stream may stay open and silent after the container's end. */
const lingerMilliseconds = 2_000;

/** Hijacked connection of one container: its output flows to the caller, the caller's input to it. */
export interface Attachment {
  /** Rejects when the caller could not take output or give input, or when the stream has another format. */
  broken: Promise<never>;
  /**
   * Settles when all output was handed over: at the stream's end, after a silence, or when output comes slower than
   * this pace.
   */
  drained(pace: Pace): Promise<void>;
  /** Whether the connection broke before the stream's end. */
  readonly wasCut: boolean;
  /** Whether the rest of the output came too slowly to wait for it. */
  readonly isSlow: boolean;
  close(): void;
}

/**
 * State of the connection: whether a chunk is being taken, the time of the last one (performance.now), the bytes so
 * far, and the result.
 */
interface Activity {
  waiting: boolean;
  last: number;
  bytes: number;
  wasCut: boolean;
  isSlow: boolean;
}

/**
 * Starts both directions. One chunk is handed over at a time, so that a slow caller slows the container and memory
 * stays constant.
 */
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

/**
 * Reads chunks. A broken connection ends the output; the wait for the exit breaks too and decides whether the run
 * failed.
 */
async function* readChunks(socket: Socket, activity: Activity): AsyncGenerator<Buffer> {
  const chunks = socket.iterator({ destroyOnReturn: false });
  while (true) {
    const next = await chunks.next().catch(() => undefined);
    activity.wasCut = next === undefined;
    if (next === undefined || next.done) return;
    yield next.value as Buffer;
  }
}

/**
 * Waits for the rest of the output. The run ends with its main process, even when a child still holds the pipe open.
 */
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
 * Sends stdin and its end; afterwards the source is usable again. A terminal's end is the character EOT: an engine
 * whose terminal connection is half closed drops the output with it.
 */
function pumpInput(
  socket: Socket,
  stdin: NonNullable<ContainerIO['stdin']>,
  tty: boolean,
  fail: (error: GbuildError) => void,
): () => void {
  const endTerminal = () => void socket.write('\x04');
  // A container that stops reading closes its side, which is no failure of the caller.
  socket.on('error', () => {});
  // The listener stays after the detachment: a pending read may fail later, and nothing else listens.
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
