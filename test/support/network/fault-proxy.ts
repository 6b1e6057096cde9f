import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';

/** What is done to a request instead of, or besides, passing it on. */
export interface FaultAction {
  /** The connection is closed: before anything reached the registry, or in place of its answer. */
  drop?: 'before' | 'after';
  /** So many bytes of the body reach the registry, then both connections are closed. */
  cutUpload?: number;
  /** The body is not read on after so many bytes. */
  stallUpload?: number;
  /** So many bytes of the registry's answer come through, then the connection is closed. */
  cutAnswer?: number;
  /** Nothing more comes after so many bytes of the answer; -1: not even its headers. */
  stallAnswer?: number;
  /** The answer's body comes by one byte a second. */
  dripAnswer?: boolean;
  /** A bit of the first byte is turned. */
  damage?: 'upload' | 'answer';
  /** The registry is not asked: status, headers and body of the answer. */
  answer?: { status: number; headers?: Record<string, string>; body?: string };
  /** The registry is not asked: 307 to the same path at this origin. */
  redirect?: string;
  /** Headers of the registry's answer that are left out, and others that are put in. */
  without?: string[];
  withHeaders?: Record<string, string>;
}

export interface Fault {
  method?: string;
  /** Of path and query. */
  path?: RegExp;
  /** From the how-many-th matching request on, 1 when absent. */
  from?: number;
  /** For how many of them; all when absent. */
  times?: number;
  action: FaultAction;
}

export interface SeenRequest {
  method: string;
  /** With its query. */
  path: string;
  headers: IncomingHttpHeaders;
  /** Bytes of its body that came from the client. */
  sent: number;
  /** Bytes of the answer's body that went to it. */
  received: number;
  /** Of the answer; 0 where there was none. */
  status: number;
}

/** A proxy in front of a registry that keeps book, and fails as it is told. */
export interface FaultProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT`: the registry's address, as far as a client is concerned. */
  host: string;
  requests: SeenRequest[];
  fault(fault: Fault): void;
  /** Forgets faults and requests. */
  reset(): void;
}

/** `target`: host and port of a plain registry. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const requests: SeenRequest[] = [];
  const faults: (Fault & { seen: number })[] = [];
  const server = createServer((incoming, answer) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const seen: SeenRequest = { method, path: url, headers, sent: 0, received: 0, status: 0 };
    requests.push(seen);
    incoming.on('error', () => {});
    answer.on('error', () => {});
    handle(target, incoming, answer, seen, takeAction(faults, seen));
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    fault: (fault) => void faults.push({ ...fault, seen: 0 }),
    reset: () => {
      faults.length = 0;
      requests.length = 0;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function takeAction(faults: (Fault & { seen: number })[], { method, path }: SeenRequest): FaultAction {
  for (const fault of faults) {
    if ((fault.method ?? method) !== method || !(fault.path ?? /^/).test(path)) continue;
    fault.seen += 1;
    const { seen, from = 1, times = Number.POSITIVE_INFINITY } = fault;
    if (seen >= from && seen < from + times) return fault.action;
  }
  return {};
}

function handle(
  target: string,
  incoming: IncomingMessage,
  answer: ServerResponse,
  seen: SeenRequest,
  action: FaultAction,
): void {
  const { drop, redirect } = action;
  if (drop === 'before') incoming.socket.destroy();
  else if (action.answer !== undefined) replace(incoming, answer, seen, action.answer);
  else if (redirect !== undefined)
    replace(incoming, answer, seen, { status: 307, headers: { Location: `${redirect}${seen.path}` } });
  else forward(target, incoming, answer, seen, action);
}

function forward(
  target: string,
  incoming: IncomingMessage,
  answer: ServerResponse,
  seen: SeenRequest,
  action: FaultAction,
): void {
  const [host, port] = target.split(':');
  const { method, path, headers } = seen;
  const hangUp = () => void incoming.socket.destroy();
  const outgoing = request({ host, port, method, path, headers, agent: false }, (upstream) => {
    upstream.on('error', hangUp);
    if (action.drop === 'after') upstream.resume().on('end', hangUp);
    else giveBack(upstream, answer, seen, action);
  });
  outgoing.on('error', hangUp);
  incoming.on('close', () => {
    if (!incoming.complete) outgoing.destroy();
  });
  const cut = () => {
    outgoing.destroy();
    hangUp();
  };
  incoming
    .pipe(
      meter({
        count: (bytes) => {
          seen.sent += bytes;
        },
        limit: action.cutUpload ?? action.stallUpload,
        // What was written must have arrived, or the test would be about chance.
        stop: () => void (action.cutUpload !== undefined && setTimeout(cut, 30)),
        damages: action.damage === 'upload',
      }),
    )
    .pipe(outgoing);
}

function giveBack(upstream: IncomingMessage, answer: ServerResponse, seen: SeenRequest, action: FaultAction): void {
  const { without = [], withHeaders = {}, cutAnswer, stallAnswer } = action;
  seen.status = upstream.statusCode ?? 0;
  if (stallAnswer === -1) return;
  const headers = { ...upstream.headers, ...withHeaders };
  for (const name of without) delete headers[name];
  answer.writeHead(seen.status, headers);
  answer.flushHeaders();
  if (action.dripAnswer === true) return void drip(upstream, answer);
  upstream
    .pipe(
      meter({
        count: (bytes) => {
          seen.received += bytes;
        },
        limit: cutAnswer ?? stallAnswer,
        stop: () => void (cutAnswer !== undefined && setTimeout(() => answer.destroy(), 10)),
        damages: action.damage === 'answer',
      }),
    )
    .pipe(answer);
}

async function drip(upstream: IncomingMessage, answer: ServerResponse): Promise<void> {
  for await (const chunk of upstream)
    for (const byte of chunk as Buffer) {
      if (answer.destroyed) return;
      answer.write(Buffer.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 1_000).unref());
    }
  answer.end();
}

interface MeterOptions {
  count(bytes: number): void;
  /** Bytes after which nothing passes. */
  limit: number | undefined;
  stop(): void;
  damages: boolean;
}

/** Counts what passes, turns a bit or holds on after a limit. */
function meter({ count, limit, stop, damages }: MeterOptions): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const part = limit === undefined ? chunk : chunk.subarray(0, limit - passed);
      const isFirst = passed === 0;
      passed += part.length;
      count(part.length);
      const out =
        damages && isFirst && part.length > 0 ? Buffer.concat([Buffer.of(part[0]! ^ 1), part.subarray(1)]) : part;
      if (out.length > 0) this.push(out);
      if (limit === undefined || passed < limit) done();
      else stop();
    },
  });
}

/** Answers in the registry's place once the body is read. */
function replace(
  incoming: IncomingMessage,
  answer: ServerResponse,
  seen: SeenRequest,
  { status, headers = {}, body = '' }: NonNullable<FaultAction['answer']>,
): void {
  incoming.on('data', (chunk: Buffer) => {
    seen.sent += chunk.length;
  });
  incoming.on('end', () => {
    seen.status = status;
    seen.received = Buffer.byteLength(body);
    answer.writeHead(status, { 'Content-Length': seen.received, ...headers }).end(seen.method === 'HEAD' ? '' : body);
  });
}
