import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure, Agent as SecureAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { hostnameOf } from './address.ts';
import { proxyHeaders } from './proxy.ts';

/** TLS connections to the address inside a CONNECT tunnel through the proxy. */
export class TunnelAgent extends SecureAgent {
  readonly #proxy: URL;
  readonly #target: URL;
  readonly #tls: { rejectUnauthorized: boolean; secureContext?: SecureContext };

  constructor(proxy: URL, target: URL, options: { rejectUnauthorized: boolean; secureContext?: SecureContext }) {
    super(options);
    this.#proxy = proxy;
    this.#target = target;
    this.#tls = options;
  }

  override createConnection(
    _options: unknown,
    done: (error: Error | null, stream: Duplex) => void = () => {},
  ): undefined {
    const hostname = hostnameOf(this.#target.host);
    const authority = `${this.#target.hostname}:${this.#target.port || 443}`;
    const send = this.#proxy.protocol === 'https:' ? requestSecure : requestPlain;
    const headers = { Host: authority, ...proxyHeaders(this.#proxy) };
    const fail = (error: Error) => done(error, undefined as never);
    send({ ...proxyEndpointOf(this.#proxy), method: 'CONNECT', path: authority, headers, agent: false })
      .on('error', fail)
      .on('connect', (answer: IncomingMessage, socket: Socket) => {
        if (answer.statusCode !== 200) {
          socket.destroy();
          fail(new ProxyRefusal(this.#proxy, answer.statusCode ?? 0));
          return;
        }
        const servername = /[a-z]/i.test(hostname) && !hostname.includes(':') ? { servername: hostname } : {};
        done(null, connectTls({ socket, host: hostname, ...servername, ...this.#tls }));
      })
      .end();
  }
}

/** Failure: the caller's proxy refused the tunnel. */
export class ProxyRefusal extends Error {
  readonly status: number;

  constructor(proxy: URL, status: number) {
    const why =
      status === 407 ? 'it wants a user name and a password, or does not accept those given' : `HTTP ${status}`;
    super(`the proxy ${proxy.host} refused the connection: ${why}`);
    this.status = status;
  }
}

/** Returns host and port of a proxy. */
export function proxyEndpointOf(proxy: URL): { host: string; port: number } {
  const standard = proxy.protocol === 'https:' ? 443 : 80;
  return { host: hostnameOf(proxy.host), port: proxy.port === '' ? standard : Number(proxy.port) };
}
