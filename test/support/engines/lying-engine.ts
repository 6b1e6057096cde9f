import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressOf } from './engine-http.ts';

/** Lies about one request. Except for the last three, the engine has handled the request before. */
export const lies = ['stall', 'half', 'drip', 'cut', 'error', 'garbage', 'other'] as const;

/**
 * Kind of lie. `stall`: no answer; `half`: half of it, then silence; `drip`: a byte a second; `cut`: a closed
 * connection; `error`: HTTP 500; `garbage`: no JSON; `other`: JSON of another shape.
 */
export type Lie = (typeof lies)[number];

/** Request that came through, by its kind, without ids and names. */
export interface SeenRequest {
  kind: string;
  /** Id of a container that it made. */
  container?: string;
}

/** Socket in front of an engine: it stalls, breaks and lies at the given request. */
export interface LyingEngine extends AsyncDisposable {
  /** Address as DOCKER_HOST spells it. */
  host: string;
  requests: SeenRequest[];
}

export interface LyingOptions {
  /** Number of the request, from 1, in the order of arrival; none when left out. */
  at?: number;
  /** Kind of the request: the first of it is chosen. */
  kind?: string;
  lie?: Lie;
  /** Whether every later request meets the lie too. */
  lasting?: boolean;
  /** Awaited before a request reaches the engine. */
  before?: (seen: SeenRequest) => Promise<void>;
}

/** Starts the socket. `target` is `unix://PATH`, or `tcp://HOST:PORT`; the socket in front is of the same kind. */
export async function startLyingEngine(target: string, options: LyingOptions = {}): Promise<LyingEngine> {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-lying-'));
  const engine = addressOf(target);
  const requests: SeenRequest[] = [];
  const open = new Set<Socket>();
  let isLying = false;
  const lieTo = ({ kind }: SeenRequest): Lie | undefined => {
    const isMet = requests.length === options.at || (kind === options.kind && !isLying);
    const lies = isMet || (isLying && options.lasting === true);
    isLying ||= isMet;
    return lies ? options.lie : undefined;
  };
  const server = createServer((incoming, answer) => {
    const seen: SeenRequest = { kind: kindOf(incoming) };
    requests.push(seen);
    const lie = lieTo(seen);
    const passOn = () => pass(incoming, answer, engine, seen, lie);
    if (options.before === undefined) passOn();
    else void options.before(seen).then(passOn);
  });
  server.requestTimeout = 0;
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => {}).once('close', () => open.delete(socket));
  });
  server.on('upgrade', (incoming, socket: Socket, head: Buffer) => {
    const seen: SeenRequest = { kind: kindOf(incoming) };
    requests.push(seen);
    takeOver(incoming, socket, head, engine, lieTo(seen));
  });
  const socketPath = join(dir, 'docker.sock');
  const place = target.startsWith('unix://') ? { path: socketPath } : { host: '127.0.0.1', port: 0 };
  await new Promise<void>((resolve) => server.listen(place, resolve));
  const address = server.address();
  return {
    host: typeof address === 'object' ? `tcp://127.0.0.1:${address?.port}` : `unix://${socketPath}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

type EngineAddress = ReturnType<typeof addressOf>;

function kindOf({ method, url = '/' }: IncomingMessage): string {
  const path = url.replace(/\?.*/, '').replace(/^\/v\d\.\d+/, '');
  const short = path
    .replace(/^\/(containers|exec|volumes|networks)\/(?!create$|json$)[^/]+/, '/$1/ID')
    .replace(/^\/images\/(?!json$|create$|load$).*?(\/json|\/tag|\/get|)$/, '/images/ID$1');
  return `${method} ${short}`;
}

function pass(
  incoming: IncomingMessage,
  answer: ServerResponse,
  engine: EngineAddress,
  seen: SeenRequest,
  lie: Lie | undefined,
): void {
  const { method, url, headers } = incoming;
  incoming.on('error', () => {});
  answer.on('error', () => {});
  const outgoing = request({ ...engine, method, path: url, headers, agent: false }, (upstream) => {
    upstream.on('error', () => answer.destroy());
    if (lie === undefined && seen.kind !== 'POST /containers/create') {
      answer.writeHead(upstream.statusCode ?? 0, upstream.headers);
      answer.flushHeaders();
      upstream.pipe(answer);
      return;
    }
    const isEndless = seen.kind === 'POST /containers/ID/wait' && lie !== undefined;
    if (isEndless) return void tell(answer, upstream, Buffer.from('{"StatusCode":'), lie);
    const chunks: Buffer[] = [];
    upstream.on('data', (chunk: Buffer) => chunks.push(chunk));
    upstream.on('end', () => {
      const body = Buffer.concat(chunks);
      if (seen.kind === 'POST /containers/create') seen.container = /"Id":"(\w+)"/.exec(body.toString())?.[1] ?? '';
      tell(answer, upstream, body, lie);
    });
  });
  outgoing.on('error', () => incoming.socket.destroy());
  // A client that goes away ends its request, as at an engine.
  answer.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
}

/** Sends the engine's answer with the lie. */
function tell(answer: ServerResponse, upstream: IncomingMessage, body: Buffer, lie: Lie | undefined): void {
  const begin = () => {
    const { 'transfer-encoding': _, ...headers } = upstream.headers;
    answer.writeHead(upstream.statusCode ?? 0, { ...headers, 'content-length': String(body.length) });
    answer.flushHeaders();
  };
  if (lie === undefined) {
    answer.writeHead(upstream.statusCode ?? 0, upstream.headers);
    answer.end(body);
  } else if (lie === 'cut') answer.destroy();
  else if (lie === 'half') {
    begin();
    answer.write(body.subarray(0, body.length >> 1));
  } else if (lie === 'drip') {
    begin();
    void drip(body, (byte) => answer.write(byte)).then(() => answer.end());
  } else if (lie === 'error') answer.writeHead(500).end('{"message":"a lie"}');
  else if (lie === 'garbage') answer.writeHead(200).end('<html>not what you asked for</html>');
  else if (lie === 'other') answer.writeHead(200).end('{"a":{"b":[1]}}');
}

async function drip(bytes: Buffer, write: (byte: Buffer) => unknown): Promise<void> {
  for (const byte of bytes) {
    write(Buffer.of(byte));
    await new Promise((resolve) => setTimeout(resolve, 1_000).unref());
  }
}

/** Handles a hijacked connection: the lie applies to the engine's bytes. */
function takeOver(
  incoming: IncomingMessage,
  client: Socket,
  head: Buffer,
  address: EngineAddress,
  lie: Lie | undefined,
): void {
  if (lie === 'cut') return void client.destroy();
  if (lie === 'error' || lie === 'garbage' || lie === 'other')
    return void client.end(
      lie === 'error'
        ? 'HTTP/1.1 500 Oh\r\nContent-Length: 19\r\n\r\n{"message":"a lie"}'
        : 'HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n<html>not what you asked for</html>',
    );
  const engine = connect(
    'socketPath' in address ? { path: address.socketPath } : { host: address.host, port: Number(address.port) },
  );
  engine.on('error', () => client.destroy());
  client.on('error', () => engine.destroy());
  client.once('close', () => engine.destroy());
  const lines = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${value}`);
  engine.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  engine.write(head);
  client.pipe(engine);
  if (lie === undefined) {
    engine.pipe(client);
    engine.once('close', () => client.destroy());
    return;
  }
  let passed = 0;
  engine.on('data', (chunk: Buffer) => {
    if (lie === 'stall') return;
    // Sends the head and a few bytes.
    const part = lie === 'half' ? chunk.subarray(0, Math.max(0, 200 - passed)) : chunk;
    passed += chunk.length;
    if (lie === 'half') client.write(part);
    else void drip(part, (byte) => client.write(byte));
  });
}
