import { readField, readList, readText } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';

/** Port that the engine publishes on its address: `127.0.0.1`, or all its addresses when left out. */
export interface ContainerPort {
  port: number;
  protocol: 'tcp' | 'udp';
  /** Port on the engine; a free one when left out. */
  enginePort?: number;
  address?: string;
}

/** Place of a container's port on the engine. */
export interface EnginePort {
  port: number;
  protocol: 'tcp' | 'udp';
  enginePort: number;
}

/** Formats `ExposedPorts` of POST /containers/create. */
export function formatExposed(ports: ContainerPort[]): object {
  return Object.fromEntries(ports.map((port) => [keyOf(port), {}]));
}

/** Formats `HostConfig.PortBindings` of POST /containers/create. */
export function formatBindings(ports: ContainerPort[]): object {
  return Object.fromEntries(
    ports.map((port) => [keyOf(port), [{ HostIp: port.address ?? '', HostPort: String(port.enginePort ?? '') }]]),
  );
}

/** Reads the published ports (GET /containers/{id}/json); a container that has ended has none. */
export async function readEnginePorts(client: EngineClient, id: string, ports: ContainerPort[]): Promise<EnginePort[]> {
  const what = 'list the ports of the container';
  const { json } = await client.call({ what, method: 'GET', path: `/containers/${id}/json` });
  const bound = readField(readField(json, 'NetworkSettings'), 'Ports');
  return ports.flatMap(({ port, protocol }) => {
    const [first] = readList(bound, keyOf({ port, protocol }));
    const enginePort = Number(readText(first, 'HostPort'));
    return enginePort > 0 ? [{ port, protocol, enginePort }] : [];
  });
}

function keyOf({ port, protocol }: { port: number; protocol: string }): string {
  return `${port}/${protocol}`;
}
