import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { paceOf, readAtPace, Stalled } from '../../oci/stream/pace.ts';
import type { RegistrySettings } from './settings.ts';

type RequestTimeouts = Pick<RegistrySettings, 'stallSeconds' | 'connectSeconds'>;

export interface BodyToSend {
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>;
  /** Called with the number of bytes handed to the connection. */
  onBytes?: ((count: number) => void) | undefined;
}

/** Bytes to write before waiting for the connection: few, so that a slow one still shows progress. */
const pieceBytes = 64 * 1024;

/** Bytes a second that a registry can hash or move before it answers. */
const digestedPerSecond = 10_000_000;

/**
 * Sends a request with its body, at the pace of the connection, and returns the answer when its headers have come. An
 * early answer ends the body. `work` is the number of bytes that the registry got before and processes now.
 */
export async function exchange(
  request: ClientRequest,
  body: BodyToSend | undefined,
  timeouts: RequestTimeouts,
  work = 0,
): Promise<IncomingMessage> {
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).on('error', reject);
    request.once('close', () => reject(new Error('the connection was closed')));
  });
  answered.catch(() => {});
  limitConnecting(request, timeouts.connectSeconds);
  let sent = 0;
  if (body === undefined) request.end();
  else sent = await sendBody(request, body, answered, timeouts);
  const seconds = timeouts.stallSeconds + (sent + work) / digestedPerSecond;
  return await within(seconds, answered, (error) => request.destroy(error));
}

/** Sends the body. Returns the number of sent bytes. */
async function sendBody(
  request: ClientRequest,
  { chunks, onBytes }: BodyToSend,
  answered: Promise<IncomingMessage>,
  { stallSeconds }: RequestTimeouts,
): Promise<number> {
  let sent = 0;
  let hasAnswer = false;
  const note = () => {
    hasAnswer = true;
  };
  const settled = answered.then(note, note);
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += pieceBytes) {
        if (hasAnswer) {
          endEarly(request, answered);
          return sent;
        }
        const piece = chunk.subarray(at, at + pieceBytes);
        if (!request.write(piece)) await within(stallSeconds, drained(request, settled), (e) => request.destroy(e));
        sent += piece.length;
        onBytes?.(piece.length);
      }
    }
  } catch (thrown) {
    request.destroy();
    throw thrown;
  }
  request.end();
  return sent;
}

/** Ends a request early: an unsent body prevents the connection's reuse. */
function endEarly(request: ClientRequest, answered: Promise<IncomingMessage>): void {
  answered.then(
    (answer) => answer.once('close', () => request.destroy()).once('end', () => request.destroy()),
    () => {},
  );
}

async function drained(request: ClientRequest, settled: Promise<void>): Promise<void> {
  let done = () => {};
  const drain = new Promise<void>((resolve) => {
    done = resolve;
    request.once('drain', done);
  });
  await Promise.race([drain, settled]);
  request.off('drain', done);
}

/** Yields the body of an answer, at the least pace; pauses of the reader do not count. */
export async function* readBody(answer: IncomingMessage, { stallSeconds }: RequestTimeouts): AsyncGenerator<Buffer> {
  try {
    yield* readAtPace(answer as AsyncIterable<Buffer>, paceOf(stallSeconds), (error) => answer.destroy(error));
  } finally {
    // A reader that stops early closes the connection; a complete one is kept.
    if (!answer.complete) answer.destroy();
  }
}

async function within<T>(seconds: number, waited: Promise<T>, drop: (error: Error) => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Stalled(`no data came for ${Math.round(seconds * 10) / 10} s`);
      reject(error);
      drop(error);
    }, seconds * 1000);
  });
  try {
    return await Promise.race([waited, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

/** The kernel would try for minutes to reach a machine that is off. */
function limitConnecting(request: ClientRequest, seconds: number): void {
  request.once('socket', (socket: Socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => {
      const error: NodeJS.ErrnoException = new Error(`no connection within ${seconds} s`);
      error.code = 'ETIMEDOUT';
      request.destroy(error);
    }, seconds * 1000);
    const done = () => clearTimeout(timer);
    socket.once('connect', done).once('close', done);
  });
}
