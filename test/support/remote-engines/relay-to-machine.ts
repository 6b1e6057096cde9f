import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from './machine.ts';

/** Listens in the machine, whose Node is an old one, and forwards to the socket that both see. */
const listen = `
const net = require('net');
net.createServer((inner) => {
  const outer = net.connect(process.argv[1]);
  for (const [from, to] of [[inner, outer], [outer, inner]]) from.pipe(to).on('error', () => from.destroy());
}).listen(Number(process.argv[2]));`;

export interface RelayOptions {
  /** Folder of this host, and its path in the machine. */
  hostDir: string;
  machineDir: string;
  port: number;
}

/**
 * Forwards a port of the machine to the same port of this host's loopback address, because no network connects them.
 * Returns the machine's address, which its containers reach too.
 */
export async function relayToMachine(machine: Machine, { hostDir, machineDir, port }: RelayOptions): Promise<string> {
  const server = createServer((inner) => {
    const outer = connect(port, '127.0.0.1');
    inner.pipe(outer).on('error', () => inner.destroy());
    outer.pipe(inner).on('error', () => outer.destroy());
  });
  server.unref().listen(join(hostDir, 'relay'));
  await once(server, 'listening');
  const start = `node -e "$1" "$2" "$3" >/dev/null 2>&1 &`;
  await machine.run(['sh', '-c', start, 'sh', listen, `${machineDir}/relay`, `${port}`]);
  const isUp = `node -e "require('net').connect($1, '127.0.0.1').on('error', () => process.exit(1)).on('connect', () => process.exit(0))"`;
  for (let tries = 0; tries < 600; tries += 1) {
    if ((await machine.run(['sh', '-c', isUp, 'sh', `${port}`])).exitCode === 0)
      return (await machine.run(['hostname', '-i'])).stdout.trim();
    await sleep(100);
  }
  throw new Error(`nobody listens on port ${port} of the machine`);
}
