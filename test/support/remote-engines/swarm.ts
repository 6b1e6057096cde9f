import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EngineContainer, expectStatus, startEngineContainer } from '../engines/engine-container.ts';
import { askEngine } from '../engines/engine-http.ts';
import { ensureTestImage } from '../images/base-image.ts';
import { startRegistry, type TestRegistry } from '../registry/registry.ts';

/**
 * Engines in containers that form one swarm, and a registry that all of them and this machine reach at the same
 * address.
 */
export interface Swarm extends AsyncDisposable {
  /** Nodes, the manager first; the others have no image. */
  nodes: (EngineContainer & { id: string; name: string })[];
  registry: TestRegistry;
}

/** Interval in nanoseconds; a node counts as dead after three of these. */
const heartbeat = 500_000_000;

/** Starts a swarm on a separate network. The manager has the image. */
export async function startSwarm(outer: string, size: number, image: string): Promise<Swarm> {
  const stack = new AsyncDisposableStack();
  try {
    const network = await openNetwork(outer, stack);
    const registry = stack.use(await startRegistry({ withPassword: true, address: network.gateway }));
    const settings = { 'insecure-registries': [registry.host] };
    const start = () => startEngineContainer(outer, [], 'docker 20.10', 'none', { network: network.name, settings });
    const engines = await startAll(size, start, stack);
    await ensureTestImage(engines[0]!.host, image);
    await join(engines);
    const nodes = await nameNodes(engines);
    return { nodes, registry, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (thrown) {
    await stack.disposeAsync();
    throw thrown;
  }
}

async function openNetwork(outer: string, stack: AsyncDisposableStack): Promise<{ name: string; gateway: string }> {
  const name = `gbuild-test-swarm-${randomBytes(4).toString('hex')}`;
  await expectStatus(askEngine(outer, 'POST', '/networks/create', { json: { Name: name, CheckDuplicate: true } }), 201);
  stack.defer(() => expectStatus(askEngine(outer, 'DELETE', `/networks/${name}`), 204));
  const { IPAM } = (await read(outer, `/networks/${name}`)) as { IPAM: { Config: { Gateway: string }[] } };
  return { name, gateway: IPAM.Config[0]!.Gateway };
}

async function startAll(
  size: number,
  start: () => Promise<EngineContainer>,
  stack: AsyncDisposableStack,
): Promise<EngineContainer[]> {
  // The first one makes the image for all of them.
  const engines = [stack.use(await start())];
  const others = await Promise.allSettled(Array.from({ length: size - 1 }, start));
  for (const other of others) if (other.status === 'fulfilled') engines.push(stack.use(other.value));
  const failed = others.find((other) => other.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return engines;
}

async function join([manager, ...workers]: EngineContainer[]): Promise<void> {
  const { host, address } = manager!;
  const Spec = { Dispatcher: { HeartbeatPeriod: heartbeat } };
  const json = { ListenAddr: '0.0.0.0:2377', AdvertiseAddr: address, Spec };
  await expectStatus(askEngine(host, 'POST', '/swarm/init', { json }), 200);
  const { JoinTokens } = (await read(host, '/swarm')) as { JoinTokens: { Worker: string } };
  for (const worker of workers) {
    const joining = { ListenAddr: '0.0.0.0:2377', RemoteAddrs: [`${address}:2377`], JoinToken: JoinTokens.Worker };
    await expectStatus(askEngine(worker.host, 'POST', '/swarm/join', { json: joining }), 200);
  }
  await untilReady(host, workers.length + 1);
}

async function untilReady(host: string, size: number): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const nodes = (await read(host, '/nodes')) as { Status: { State: string } }[];
    if (nodes.filter(({ Status }) => Status.State === 'ready').length === size) return;
    await sleep(100);
  }
  throw new Error(`the swarm at ${host} did not get ${size} nodes`);
}

function nameNodes(engines: EngineContainer[]): Promise<Swarm['nodes']> {
  return Promise.all(
    engines.map(async (engine) => {
      const { Swarm, Name } = (await read(engine.host, '/info')) as { Swarm: { NodeID: string }; Name: string };
      return { ...engine, id: Swarm.NodeID, name: Name };
    }),
  );
}

async function read(host: string, path: string): Promise<unknown> {
  const { status, text } = await askEngine(host, 'GET', path);
  if (status !== 200) throw new Error(`${host} answered ${status} to ${path}: ${text}`);
  return JSON.parse(text);
}

/** Lists what is left after the swarm had time to stop containers: it takes two seconds for each. */
export async function listLeftInTheEnd(swarm: Pick<Swarm, 'nodes'>): Promise<string[]> {
  for (let tries = 0; tries < 200 && (await listLeftOnSwarm(swarm)).length > 0; tries += 1) await sleep(100);
  return listLeftOnSwarm(swarm);
}

/**
 * Lists gbuild's objects on the whole cluster by their labels: services, secrets, and containers of each living node.
 */
async function listLeftOnSwarm({ nodes }: Pick<Swarm, 'nodes'>): Promise<string[]> {
  const query = `filters=${encodeURIComponent(JSON.stringify({ label: ['io.gbuild.run'] }))}`;
  const manager = nodes[0]!.host;
  const named = async (kind: string) =>
    ((await read(manager, `/${kind}?${query}`)) as { Spec: { Name: string } }[]).map(({ Spec }) => Spec.Name);
  const left = [...(await named('services')), ...(await named('secrets')), ...(await named('configs'))];
  for (const { host } of nodes) {
    const containers = (await read(host, `/containers/json?all=1&${query}`).catch(() => [])) as { Names: string[] }[];
    left.push(...containers.flatMap(({ Names }) => Names));
  }
  return left;
}
