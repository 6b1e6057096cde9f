import { connect, createServer } from 'node:net';
import type { Engine } from '../../../engine/engine.ts';
import { GbuildError, messageOf } from '../../../errors.ts';
import type { Host } from '../../../host.ts';
import type { Spec } from '../../../spec/types.ts';
import { findLoopbackProxies, type LoopbackProxy } from '../../../toolchain/host/loopback.ts';
import type { HostTrust } from '../../../toolchain/host/trust.ts';

/** Route by which containers on a bridge reach this machine's loopback address. */
export type ProxyRoute =
  /** This machine has the bridge's gateway address: a relay listens there. */
  | { kind: 'relay'; gateway: string }
  /** Docker Desktop has a name for this machine, which reaches its loopback address too. */
  | { kind: 'name'; host: string };

/**
 * Lets containers on a bridge use proxies at this machine's loopback address, which a bridge cannot reach. A relay
 * lives as long as this process. Throws `network-failed` where the engine has no route to this machine.
 */
export async function relayProxies(
  trust: HostTrust,
  { network, engine, host }: { network: Spec['network']; engine: Engine; host: Host },
): Promise<HostTrust> {
  const found = network === 'bridge' ? findLoopbackProxies(trust.proxies) : [];
  if (found.length === 0) return trust;
  const route = await findProxyRoute(engine, host);
  if (route === undefined) throw outOfReach(found, engine);
  const addresses = new Map<string, Promise<string>>();
  const proxies = { ...trust.proxies };
  for (const { name, address, port, move } of found) {
    const key = `${address}:${port}`;
    addresses.set(key, addresses.get(key) ?? openRoute(route, address, port));
    proxies[name] = move(
      await addresses.get(key)!.catch((cause: unknown) => {
        throw outOfReach(found, engine, cause);
      }),
    );
  }
  return { ...trust, proxies };
}

/** Finds the route by the engine's machine: another machine may have a bridge with the same address. */
export async function findProxyRoute(engine: Engine, host: Host): Promise<ProxyRoute | undefined> {
  const { name, rootless } = await engine.info();
  if (name === 'docker-desktop') return { kind: 'name', host: 'host.docker.internal' };
  const isHere = engine.endpoint.socketPath !== undefined && engine.endpoint.ssh === undefined;
  if (!isHere || rootless || name !== host.hostname) return undefined;
  const gateway = await engine.readBridgeGateway();
  return gateway !== undefined && (await isOwnAddress(gateway)) ? { kind: 'relay', gateway } : undefined;
}

/** Tests the address by listening: the list of interfaces lacks a bridge while no container runs on it. */
function isOwnAddress(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(0, address, () => server.close(() => resolve(true)));
  });
}

async function openRoute(route: ProxyRoute, address: string, port: number): Promise<string> {
  return route.kind === 'name'
    ? `${route.host}:${port}`
    : `${route.gateway}:${await openRelay(route.gateway, address, port)}`;
}

/** Forwards connections without keeping the process alive. Returns the relay's port. */
function openRelay(address: string, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer((incoming) => {
      const outgoing = connect(port, host);
      for (const socket of [incoming, outgoing]) socket.on('error', () => {}).unref();
      incoming.on('close', () => outgoing.destroy()).pipe(outgoing);
      outgoing.on('close', () => incoming.destroy()).pipe(incoming);
    });
    server.once('error', reject);
    server.listen(0, address, () => resolve((server.address() as { port: number }).port));
    server.unref();
  });
}

function outOfReach(found: LoopbackProxy[], { endpoint }: Engine, cause?: unknown): GbuildError {
  const names = found.map(({ name }) => name).join(', ');
  const why = cause === undefined ? 'they have no way to this machine' : messageOf(cause);
  return new GbuildError(
    'network-failed',
    `${names} names a proxy at this machine's loopback address, which containers of the engine at ${endpoint.url} cannot reach: ${why}`,
    {
      suggestions: [
        `unset ${names.replaceAll(',', '')}   # if no task needs the proxy`,
        'name the proxy by an address that containers reach, and let it listen there',
        'write "network: host" in gbuild.yml, if the engine is on this machine',
      ],
      cause,
      facts: { variables: found.map(({ name }) => name), endpoint: endpoint.url },
    },
  );
}
