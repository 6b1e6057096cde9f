import type { EngineClient } from '../client/client.ts';
import type { ContainerPort } from './ports.ts';
import { readEnginePorts } from './ports.ts';
import type { ContainerIO } from './spec.ts';

export interface Publishing {
  /** Streams whose output waits for `tell`. */
  io: ContainerIO;
  /** Reports the ports of a container that has started. */
  tell(): Promise<void>;
}

/** Opens the reporting of ports. Without a listener nothing is asked and no output waits. */
export function openPublishing(
  client: EngineClient,
  id: string,
  ports: ContainerPort[] = [],
  io: ContainerIO,
): Publishing {
  const { onPublished } = io;
  if (onPublished === undefined) return { io, tell: async () => {} };
  let open = () => {};
  const told = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    io: { ...io, onOutput: (stream, chunk) => told.then(() => io.onOutput(stream, chunk)) },
    async tell() {
      await onPublished(ports.length === 0 ? [] : await readEnginePorts(client, id, ports));
      open();
    },
  };
}
