import type { ContainerPort, EnginePort } from '../../../engine/container/ports.ts';
import type { ContainerIO } from '../../../engine/container/spec.ts';
import type { Engine } from '../../../engine/engine.ts';
import type { Progress } from '../../../reporter/progress.ts';
import type { PublishedPort, Spec } from '../../../spec/types.ts';

/** Port and the address where its user reaches it. */
export interface ReachedPort {
  port: number;
  protocol: 'tcp' | 'udp';
  /** Address as `HOST:PORT`. */
  at: string;
}

export interface Publication {
  /** Ports that the container publishes; on the engine's own network they are reachable without it. */
  ports?: ContainerPort[];
  onPublished?: ContainerIO['onPublished'];
  /** Filled when the container runs. */
  reached: ReachedPort[];
}

/** Plans the published ports of a task or service, and reports their addresses once the container runs. */
export function publishPorts(
  name: string,
  wanted: PublishedPort[],
  { engine, network, progress }: { engine: Engine; network: Spec['network']; progress: Pick<Progress, 'note'> },
): Publication {
  const reached: ReachedPort[] = [];
  if (wanted.length === 0) return { reached };
  const onPublished = async (found: EnginePort[]) => {
    for (const { port, protocol, enginePort } of found) {
      const asked = network === 'host' || wanted.some((each) => each.port === port && each.enginePort === enginePort);
      const at = await engine.ports.open({ port, protocol, enginePort }, asked);
      progress.note(`${name}: port ${port}${protocol === 'udp' ? '/udp' : ''} is at ${at}`);
      reached.push({ port, protocol, at });
    }
  };
  if (network === 'host') {
    const there = wanted.map(({ port, protocol }) => ({ port, protocol, enginePort: port }));
    return { reached, onPublished: () => onPublished(there) };
  }
  const ports = wanted.map((each) => {
    const address = engine.ports.chooseAddress(each.protocol);
    return { ...each, ...(address !== undefined && { address }) };
  });
  return { reached, ports, onPublished };
}
