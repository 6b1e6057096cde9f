import type { EngineClient } from '../client/client.ts';
import type { ContainerPort } from './ports.ts';
import { readEnginePorts } from './ports.ts';
import type { ContainerIO } from './spec.ts';

export interface Publishing {
  /** Its output waits for `tell`. */
  io: ContainerIO;
  /** Says where the ports of a container are that has started. */
  tell(): Promise<void>;
}

/** Where nobody wants to know, nothing is asked and no output waits. */
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
