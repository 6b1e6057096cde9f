import { readField, readList, readText } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';

/** A port that the engine publishes on its address: `127.0.0.1`, or all that it has when left out. */
export interface ContainerPort {
  port: number;
  protocol: 'tcp' | 'udp';
  /** One that is free when left out. */
  enginePort?: number;
  address?: string;
}

/** Where a container's port is on the engine. */
export interface EnginePort {
  port: number;
  protocol: 'tcp' | 'udp';
  enginePort: number;
}

/** `ExposedPorts` of POST /containers/create. */
export function formatExposed(ports: ContainerPort[]): object {
  return Object.fromEntries(ports.map((port) => [keyOf(port), {}]));
}

/** `HostConfig.PortBindings` of the same. */
export function formatBindings(ports: ContainerPort[]): object {
  return Object.fromEntries(
    ports.map((port) => [keyOf(port), [{ HostIp: port.address ?? '', HostPort: String(port.enginePort ?? '') }]]),
  );
}

/** GET /containers/{id}/json: where the ports are; of a container that has ended, none. */
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
