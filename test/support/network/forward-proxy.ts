import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

/** Proxy that requires a password and resolves names: tunnels by CONNECT, plain HTTP by the whole address. */
export interface ForwardProxy extends AsyncDisposable {
  /** Address with the password, as in HTTPS_PROXY. */
  url: string;
  port: number;
  /** Requests that it let through: `CONNECT r.test:443`, `GET http://r.test/v2/`. */
  passed: string[];
}

/** Starts the proxy; `hosts` maps `name:port` to `127.0.0.1:PORT`. */
export async function startForwardProxy(hosts: Record<string, string>): Promise<ForwardProxy> {
  const passed: string[] = [];
  const expected = `Basic ${Buffer.from('me:proxy word').toString('base64')}`;
  const server = createServer((incoming, answer) => {
    const { 'proxy-authorization': shown, ...headers } = incoming.headers;
    if (shown !== expected) return void answer.writeHead(407).end();
    const url = new URL(incoming.url ?? '');
    passed.push(`${incoming.method} ${url.origin}${url.pathname}`);
    const [host, port] = (hosts[`${url.hostname}:${url.port || 80}`] ?? '').split(':');
    const { method } = incoming;
    const outgoing = request({ host, port, method, path: url.pathname + url.search, headers }, (upstream) => {
      answer.writeHead(upstream.statusCode ?? 502, upstream.headers);
      upstream.pipe(answer);
    });
    outgoing.on('error', () => answer.writeHead(502).end());
    incoming.pipe(outgoing);
  });
  server.on('connect', (incoming, socket: Duplex) => {
    const [host, port] = (hosts[incoming.url ?? ''] ?? '').split(':');
    if (incoming.headers['proxy-authorization'] !== expected) return void socket.end('HTTP/1.1 407 No\r\n\r\n');
    if (port === undefined) return void socket.end('HTTP/1.1 502 No\r\n\r\n');
    passed.push(`CONNECT ${incoming.url}`);
    const target = connect(Number(port), host, () => socket.write('HTTP/1.1 200 Yes\r\n\r\n'));
    target.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('error', () => target.destroy()).on('close', () => target.destroy());
    socket.pipe(target).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://me:proxy%20word@127.0.0.1:${port}`,
    port,
    passed,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
