import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** Line to an engine that can break: TCP on one side, the engine's socket or port on the other. */
export interface BreakableLine extends AsyncDisposable {
  /** Address as DOCKER_HOST spells it. */
  host: string;
  /** Resets all connections, and new ones too. */
  cut(): void;
  /** Stops all bytes without closing a connection. */
  stall(): void;
  /** Lets new connections through again; stalled ones continue. */
  restore(): void;
}

/** Opens the line. `target` is `unix://PATH` or `tcp://HOST:PORT`. `change` sees the engine's bytes, piece by piece. */
export async function openBreakableLine(target: string, change?: (chunk: Buffer) => Buffer): Promise<BreakableLine> {
  const open = new Set<Socket>();
  let state: 'whole' | 'cut' | 'stalled' = 'whole';
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {}).once('close', () => open.delete(socket));
    if (state === 'stalled') socket.pause();
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (state === 'cut') return void client.resetAndDestroy();
    const engine = connect({ ...addressOf(target), allowHalfOpen: true });
    for (const socket of [client, engine]) keep(socket);
    const changed = change && new Transform({ transform: (chunk, _, done) => done(null, change(chunk)) });
    client.pipe(engine);
    (changed === undefined ? engine : engine.pipe(changed)).pipe(client);
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const)
      one.once('close', () => other.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const reset = () => {
    // A Unix socket cannot be reset.
    for (const socket of open)
      if (socket.remotePort === undefined) socket.destroy();
      else socket.resetAndDestroy();
  };
  return {
    host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      state = 'cut';
      reset();
    },
    stall() {
      state = 'stalled';
      for (const socket of open) socket.pause();
    },
    restore() {
      state = 'whole';
      for (const socket of open) socket.resume();
    },
    async [Symbol.asyncDispose]() {
      reset();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function addressOf(target: string): { path: string } | { host: string; port: number } {
  if (target.startsWith('unix://')) return { path: target.slice('unix://'.length) };
  const { hostname: host, port } = new URL(target);
  return { host, port: Number(port) };
}
