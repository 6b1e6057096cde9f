import type { EngineClient } from '../client/client.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { EnginePort } from './ports.ts';

/** How the caller reaches what the engine publishes. */
export class PortReach {
  readonly #client: EngineClient;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  /**
   * The address to publish on: the loopback one where the caller can get there, be it through ssh; all of the engine's where that
   * is the only way.
   */
  chooseAddress(protocol: 'tcp' | 'udp'): string | undefined {
    const { endpoint } = this.#client;
    return isHere(endpoint) || (protocol === 'tcp' && endpoint.ssh?.canShare) ? '127.0.0.1' : undefined;
  }

  /** `HOST:PORT` for the caller. Over ssh a port here leads there: the one of the same number where it was `asked` for. */
  async open({ protocol, enginePort }: EnginePort, asked: boolean): Promise<string> {
    const { endpoint, ssh } = this.#client;
    if (isHere(endpoint)) return `127.0.0.1:${enginePort}`;
    if (ssh === undefined) return formatAddress(endpoint.host ?? '127.0.0.1', enginePort);
    const local = protocol === 'tcp' ? await ssh.forward(enginePort, asked ? enginePort : undefined) : undefined;
    return local === undefined ? formatAddress(await ssh.hostName(), enginePort) : `127.0.0.1:${local}`;
  }
}

function isHere({ socketPath, host = '' }: Endpoint): boolean {
  return socketPath !== undefined || /^(?:localhost|127\.[\d.]+|::1)$/.test(host);
}

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
