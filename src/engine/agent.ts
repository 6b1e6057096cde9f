import { Agent, type ClientRequestArgs } from 'node:http';
import { connect as connectPlain, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { inspect } from 'node:util';
import type { Endpoint } from './endpoint.ts';

const connectMilliseconds = 10_000;

/**
 * An HTTP agent whose every connection goes to one endpoint, whatever a request names; idle ones are kept and do not
 * keep the process alive. Another kind of endpoint (ssh) is another way to open the socket here and nothing else.
 */
export function openAgent(endpoint: Endpoint): Agent {
  return new EndpointAgent(endpoint);
}

class EndpointAgent extends Agent {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    super({ keepAlive: true, scheduling: 'lifo' });
    this.#endpoint = endpoint;
  }

  /** docker-modem formats its options, agent and all, for a debug line at every request: tens of milliseconds each. */
  [inspect.custom](): string {
    return `EndpointAgent ${this.#endpoint.url}`;
  }

  override createConnection(_options: ClientRequestArgs): Duplex {
    const socket = openSocket(this.#endpoint);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 15_000);
    return limitConnecting(socket);
  }
}

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

/** The kernel would try for minutes to reach a machine that is switched off. */
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
