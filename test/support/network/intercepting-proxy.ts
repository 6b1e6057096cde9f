import { createServer, type IncomingMessage, request as plainRequest, type ServerResponse } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { type Authority, makeAuthority, readIssued } from './authority.ts';

/** Proxy of a company: it requires a password, and intercepts every TLS connection with its own root. */
export interface InterceptingProxy extends AsyncDisposable {
  /** Address with the password, as in HTTPS_PROXY. */
  url: string;
  port: number;
  /** File of its root. */
  rootFile: string;
  /** Hosts that were requested with the right password, and requests that were refused without it. */
  hosts: Set<string>;
  refused: string[];
}

export async function startInterceptingProxy(
  hostDir: string,
  user: string,
  password: string,
): Promise<InterceptingProxy> {
  const authority = makeAuthority(hostDir);
  const contextFor = openContexts(authority);
  const hosts = new Set<string>();
  const refused: string[] = [];
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const isAllowed = ({ headers, url = '' }: IncomingMessage) => {
    if (headers['proxy-authorization'] === expected) return true;
    refused.push(url);
    return false;
  };
  const server = createServer((incoming, answer) => {
    if (!isAllowed(incoming)) return void answer.writeHead(407, challenge).end();
    const url = new URL(incoming.url ?? '');
    hosts.add(url.hostname);
    forward(plainRequest, url, incoming, answer);
  });
  const inner = createServer((incoming, answer) => {
    forward(secureRequest, new URL(`https://${incoming.headers.host}${incoming.url}`), incoming, answer);
  });
  server.on('connect', (incoming: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    if (!isAllowed(incoming)) {
      socket.end(
        `HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: ${challenge['Proxy-Authenticate']}\r\n\r\n`,
      );
      return;
    }
    const [host = ''] = (incoming.url ?? '').split(':');
    hosts.add(host);
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    const secured = new TLSSocket(socket as never, { isServer: true, secureContext: contextFor(host) });
    secured.on('error', () => secured.destroy());
    inner.emit('connection', secured);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${port}`,
    port,
    rootFile: authority.rootFile,
    hosts,
    refused,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const challenge = { 'Proxy-Authenticate': 'Basic realm="company"' };

function forward(send: typeof plainRequest, url: URL, incoming: IncomingMessage, answer: ServerResponse): void {
  const { 'proxy-authorization': _secret, 'proxy-connection': _hop, ...headers } = incoming.headers;
  const outgoing = send(url, { method: incoming.method ?? 'GET', headers }, (upstream) => {
    answer.writeHead(upstream.statusCode ?? 502, upstream.headers);
    upstream.pipe(answer);
  });
  outgoing.on('error', (error) => {
    if (!answer.headersSent) answer.writeHead(502);
    answer.end(String(error));
  });
  incoming.pipe(outgoing);
}

/** Makes a certificate for each host at its first request. */
function openContexts(authority: Authority): (host: string) => SecureContext {
  const contexts = new Map<string, SecureContext>();
  const make = (host: string) => {
    return createSecureContext(readIssued(authority.issue(host.replaceAll(/[^\w.-]/g, '_'), [`DNS:${host}`])));
  };
  return (host) => {
    const known = contexts.get(host) ?? make(host);
    contexts.set(host, known);
    return known;
  };
}
