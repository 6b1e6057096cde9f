import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { relayProxies } from '../../../../src/actions/run/defaults/proxy-relay.ts';
import type { Engine } from '../../../../src/engine/engine.ts';
import type { Host } from '../../../../src/host.ts';
import { errorOf } from '../../../support/assert/error-of.ts';

const trust = { extraRoots: '', proxies: { HTTP_PROXY: 'http://ada:secret@127.0.0.1:3128', NO_PROXY: 'localhost' } };
const host = { hostname: 'here' } as Host;

function engineOf(
  name: string,
  { socketPath = '/run/docker.sock', rootless = false, gateway = '192.0.2.1' } = {},
): Engine {
  return {
    endpoint: { url: 'unix:///run/docker.sock', ...(socketPath !== '' && { socketPath }) },
    info: async () => ({ name, rootless }),
    readBridgeGateway: async () => gateway,
  } as unknown as Engine;
}

const relay = (engine: Engine, network: 'bridge' | 'host' | 'none' = 'bridge') =>
  relayProxies(trust, { network, engine, host });

test('an engine that is not here, or whose bridge is not, is refused with the reason and without the password', async () => {
  const engines = [
    engineOf('elsewhere'),
    engineOf('here', { socketPath: '' }),
    engineOf('here', { rootless: true }),
    engineOf('here'),
  ];
  const errors = await Promise.all(engines.map((engine) => errorOf(() => relay(engine))));
  expect(new Set(errors.map((error) => JSON.stringify(error))).size).toBe(1);
  expect(errors[0]).toMatchInlineSnapshot(`
    {
      "code": "network-failed",
      "message": "HTTP_PROXY names a proxy at this machine's loopback address, which containers of the engine at unix:///run/docker.sock cannot reach: they have no way to this machine",
      "suggestions": [
        "unset HTTP_PROXY   # if no task needs the proxy",
        "name the proxy by an address that containers reach, and let it listen there",
        "write "network: host" in gbuild.yml, if the engine is on this machine",
      ],
    }
  `);
});

test('without a bridge, or without such a proxy, nothing is asked', async () => {
  const engine = { endpoint: {} } as Engine;
  expect(await relay(engine, 'host')).toBe(trust);
  expect(await relay(engine, 'none')).toBe(trust);
  const far = { extraRoots: '', proxies: { HTTP_PROXY: 'http://proxy.test:1' } };
  expect(await relayProxies(far, { network: 'bridge', engine, host })).toBe(far);
});

test('Docker Desktop has a name for this machine', async () => {
  const { proxies } = await relay(engineOf('docker-desktop'));
  expect(proxies).toEqual({ HTTP_PROXY: 'http://ada:secret@host.docker.internal:3128', NO_PROXY: 'localhost' });
});

test('a bridge that no list of interfaces shows, for no container runs on it, is reached by a relay', async () => {
  const proxy = createServer((socket) => socket.end('the proxy answers')).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  const near = { extraRoots: '', proxies: { HTTP_PROXY: `http://127.0.0.1:${port}` } };
  const gateway = '127.0.0.7';
  const engine = engineOf('here', { gateway });
  const { proxies } = await relayProxies(near, { network: 'bridge', engine, host });
  const relayed = new URL(proxies.HTTP_PROXY!);
  expect(relayed.hostname).toBe(gateway);
  expect(await text(connect(Number(relayed.port), gateway))).toBe('the proxy answers');
  proxy.close();
});
