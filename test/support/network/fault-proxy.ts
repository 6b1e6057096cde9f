import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';

/** Action on a request instead of, or in addition to, passing it on. */
export interface FaultAction {
  /** Closes the connection: before anything reached the registry, or instead of its answer. */
  drop?: 'before' | 'after';
  /** Number of bytes of the body that reach the registry, before both connections are closed. */
  cutUpload?: number;
  /** Number of bytes of the body after which it is not read on. */
  stallUpload?: number;
  /** Number of bytes of the registry's answer that come through, before the connection is closed. */
  cutAnswer?: number;
  /** Number of bytes of the answer after which nothing comes; -1 means not even its headers. */
  stallAnswer?: number;
  /** Whether the answer's body comes with one byte a second. */
  dripAnswer?: boolean;
  /** Flips a bit of the first byte. */
  damage?: 'upload' | 'answer';
  /** Status, headers and body of an answer without asking the registry. */
  answer?: { status: number; headers?: Record<string, string>; body?: string };
  /** Origin of a 307 to the same path, without asking the registry. */
  redirect?: string;
  /** Headers of the registry's answer to leave out, and others to add. */
  without?: string[];
  withHeaders?: Record<string, string>;
}

export interface Fault {
  method?: string;
  /** Pattern of path and query. */
  path?: RegExp;
  /** Number of the first matching request that meets it; defaults to 1. */
  from?: number;
  /** Number of requests that meet it; defaults to all. */
  times?: number;
  action: FaultAction;
}

export interface SeenRequest {
  method: string;
  /** Path with its query. */
  path: string;
  headers: IncomingHttpHeaders;
  /** Bytes of its body that came from the client. */
  sent: number;
  /** Bytes of the answer's body that went to the client. */
  received: number;
  /** Status of the answer; 0 without an answer. */
  status: number;
}

/** Proxy in front of a registry that records requests, and fails on demand. */
export interface FaultProxy extends AsyncDisposable {
  /** Address `127.0.0.1:PORT`, which a client takes for the registry's. */
  host: string;
  requests: SeenRequest[];
  fault(fault: Fault): void;
  /** Forgets faults and requests. */
  reset(): void;
}

/** Starts the proxy; `target` is host and port of a plain registry. */
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
        // The written bytes must have arrived, or the test would depend on chance.
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
  /** Number of bytes after which nothing passes. */
  limit: number | undefined;
  stop(): void;
  damages: boolean;
}

/** Counts passing bytes, flips a bit, or stops at a limit. */
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

/** Answers instead of the registry once the body is read. */
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
