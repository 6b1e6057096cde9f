import type { EngineClient } from '../client/client.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { EnginePort } from './ports.ts';

/** Access of the caller to the ports that the engine publishes. */
export class PortReach {
  readonly #client: EngineClient;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  /**
   * Chooses the address to publish on: the loopback address where the caller can reach it, also through ssh; else all
   * of the engine's addresses.
   */
  chooseAddress(protocol: 'tcp' | 'udp'): string | undefined {
    const { endpoint } = this.#client;
    return isHere(endpoint) || (protocol === 'tcp' && endpoint.ssh?.canShare) ? '127.0.0.1' : undefined;
  }

  /**
   * Returns `HOST:PORT` for the caller. Over ssh a local port forwards to it, with the same number where that port was
   * `asked` for.
   */
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
