import { Agent, type ClientRequestArgs } from 'node:http';
import { connect as connectPlain, type Socket } from 'node:net';
import { type Duplex, PassThrough } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { inspect } from 'node:util';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { SshConnection } from '../ssh/connection.ts';
import { notReached } from './failures.ts';

const connectMilliseconds = 10_000;

/**
 * Opens an HTTP agent with connections to one endpoint only, whatever a request names. Idle connections are kept and do
 * not keep the process alive. Every kind of endpoint is only another way to open the socket here.
 */
export function openAgent(endpoint: Endpoint): EndpointAgent {
  return new EndpointAgent(endpoint);
}

export class EndpointAgent extends Agent {
  readonly #endpoint: Endpoint;
  /** Connection over ssh, for an endpoint behind it. */
  readonly ssh: SshConnection | undefined;

  constructor(endpoint: Endpoint) {
    super({ keepAlive: true, scheduling: 'lifo' });
    this.#endpoint = endpoint;
    this.ssh =
      endpoint.ssh && new SshConnection(endpoint.ssh, (sentence, todo) => notReached(endpoint, sentence, todo));
  }

  /** docker-modem formats its options, agent included, for a debug line at every request: tens of milliseconds each. */
  [inspect.custom](): string {
    return `EndpointAgent ${this.#endpoint.url}`;
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback: (error: Error | null, stream: Duplex) => void = () => {},
  ): Duplex | undefined {
    if (this.ssh !== undefined) {
      const failed = (error: Error) => callback(error, neverOpened);
      this.ssh.open().then((stream) => callback(null, stream), failed);
      return undefined;
    }
    const socket = openSocket(this.#endpoint);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 15_000);
    return limitConnecting(socket);
  }

  override destroy(): void {
    super.destroy();
    this.ssh?.close();
  }
}

/** The types require a stream where there is none: node:http checks the error first. */
const neverOpened = new PassThrough();

function openSocket(endpoint: Endpoint): Socket {
  if (endpoint.socketPath !== undefined) return connectPlain({ path: endpoint.socketPath });
  const { host = '127.0.0.1', port = 2375, tls } = endpoint;
  if (tls === undefined) return connectPlain({ host, port });
  const { ca, cert, key, verify } = tls;
  return connectTls({
    host,
    port,
    rejectUnauthorized: verify,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(/[a-z]/i.test(host) && !host.includes(':') && { servername: host }),
  });
}

/** The kernel would try for minutes to reach a machine that is off. */
function limitConnecting(socket: Socket): Socket {
  const timer = setTimeout(() => {
    const error: NodeJS.ErrnoException = new Error(`no connection within ${connectMilliseconds / 1000} s`);
    error.code = 'ETIMEDOUT';
    socket.destroy(error);
  }, connectMilliseconds);
  const done = () => clearTimeout(timer);
  socket.once('connect', done).once('close', done);
  return socket;
}
