import type { Duplex } from 'node:stream';
import { addAbortSignal, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { GbuildError } from '../../errors.ts';
import { Demuxer } from '../answer/demux.ts';
import { readField, readNumber, readText } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { notUnderstood } from '../client/failures.ts';
import { watchExec } from './watch-exec.ts';

/** Program to run in a running container. */
export interface ExecRequest {
  /** Action that completes "the engine refused to ...". */
  what: string;
  command: string[];
  /** Whole standard input; its failure is thrown. */
  input: Iterable<Buffer>;
  user?: string;
  /** Suggestions for a program that is not found. */
  unfound?: string[];
  /**
   * Whether the program moves bytes all the time: it is then cut off after a request timeout of silence. Other programs
   * may work in silence.
   */
  isBusy?: boolean;
}

const mostComplaint = 2_000;

/** Exit code of a shell that cannot find a program. */
const notFound = 127;

/**
 * Runs a program (POST /containers/{id}/exec) and yields its standard output: a slow reader slows the program.
 *
 * @throws GbuildError `engine-failed` with the program's error output, when it ends with another code than 0
 */
export async function* execute(
  client: EngineClient,
  id: string,
  request: ExecRequest,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const { what, command, input, user, isBusy = false } = request;
  const streams = { AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: false };
  const json = { ...streams, Cmd: command, ...(user !== undefined && { User: user }) };
  const made = await client.call({ what, method: 'POST', path: `/containers/${id}/exec`, json, signal });
  const exec = readText(made.json, 'Id');
  if (!exec) throw notUnderstood(client.endpoint, what);
  const start = { what, method: 'POST', path: `/exec/${exec}/start`, signal } as const;
  const socket = await client.hijack({ ...start, json: { Detach: false, Tty: false } });
  let complaint = '';
  const watch = watchExec(client, { exec, what, isBusy, signal }, socket);
  try {
    addAbortSignal(signal, socket as Duplex);
    feed(socket as Duplex, input, watch.sent);
    const demuxer = new Demuxer();
    for await (const chunk of watch.read()) {
      for (const { stream, data } of demuxer.split(chunk)) {
        if (stream === 'stdout') yield data;
        else if (complaint.length < mostComplaint) complaint += data.toString();
      }
    }
  } finally {
    watch.end();
    socket.destroy();
  }
  const exitCode = await readExitCode(client, exec, what, signal);
  if (exitCode !== 0) throw failed(client, request, exitCode, complaint);
}

/** Sends the input; at most two pieces are held in memory. */
function feed(socket: Duplex, pieces: Iterable<Buffer>, onSent: (bytes: number) => void): void {
  const counted = function* () {
    for (const piece of pieces) {
      onSent(piece.length);
      yield piece;
    }
  };
  const input = Readable.from(counted(), { objectMode: true, highWaterMark: 2 });
  input.once('error', (thrown) => socket.destroy(thrown));
  socket.once('close', () => input.destroy());
  input.pipe(socket);
}

/** Reads the exit code. The streams may close a moment before the engine reports the program's end. */
async function readExitCode(
  client: EngineClient,
  exec: string,
  what: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  for (let looked = 0; looked < 100; looked += 1) {
    const { json } = await client.call({ what, method: 'GET', path: `/exec/${exec}/json`, signal });
    if (readField(json, 'Running') !== true) return readNumber(json, 'ExitCode');
    await sleep(20);
  }
  return undefined;
}

function failed(
  client: EngineClient,
  { what, command, unfound = [] }: ExecRequest,
  exitCode: number | undefined,
  complaint: string,
) {
  const said = complaint.trim().split('\n').slice(0, 3).join('; ');
  return new GbuildError(
    'engine-failed',
    `the engine at ${client.endpoint.url} could not ${what}: ${command[0]} ended with exit code ${exitCode ?? 'unknown'}${said === '' ? '' : `: ${said}`}`,
    {
      suggestions: exitCode === notFound ? unfound : ['gbuild doctor   # is its disk full?'],
      facts: { endpoint: client.endpoint.url, command: command[0], exitCode },
    },
  );
}
