import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { EngineClient } from '../../../src/engine/client/client.ts';
import type { Endpoint } from '../../../src/engine/endpoint/endpoint.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { FakeEngine } from '../../support/engines/fake-engine.ts';

const info = { what: 'describe itself', method: 'GET', path: '/info' } as const;

test('the variables of the environment have no say once an endpoint was chosen', async () => {
  vi.stubEnv('DOCKER_HOST', 'tcp://192.0.2.1:2376');
  vi.stubEnv('DOCKER_CERT_PATH', '/no/such/folder');
  await using fake = await FakeEngine.start();
  const client = new EngineClient(endpointOf(fake.host), {});
  expect((await client.call(info)).json).toMatchObject({ Name: 'fake' });
  expect(process.env.DOCKER_HOST).toBe('tcp://192.0.2.1:2376');
  client.close();
  vi.unstubAllEnvs();
});

test('a connection is used again', async () => {
  await using fake = await FakeEngine.start();
  const client = new EngineClient(endpointOf(fake.host), {});
  for (let turn = 0; turn < 5; turn += 1) await client.call(info);
  expect([fake.connections, fake.requests.filter((request) => request === 'GET /_ping').length]).toEqual([1, 1]);
  client.close();
});

test('every request is traced, without its body', async () => {
  await using fake = await FakeEngine.start();
  const lines: string[] = [];
  const client = new EngineClient(endpointOf(fake.host), { debug: (text) => lines.push(text) });
  await client.call(info);
  expect(lines).toEqual(['GET /_ping', 'GET /v1.41/info']);
  client.close();
});

describe('an engine behind TLS', () => {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-tls-'));
  const read = (name: string) => readFileSync(join(dir, name));
  let server: Server;

  beforeAll(async () => {
    makeCertificates(dir);
    const options = {
      ca: read('ca.pem'),
      cert: read('server.pem'),
      key: read('server.key'),
      requestCert: true,
      rejectUnauthorized: true,
    };
    server = createServer(options, (request, response) => {
      response.setHeader('Api-Version', '1.41');
      response.end(request.url === '/_ping' ? 'OK' : JSON.stringify({ Name: 'behind TLS' }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const clientWith = (tls: Endpoint['tls']) => {
    const { port } = server.address() as AddressInfo;
    const endpoint: Endpoint = { ...endpointOf(`tcp://127.0.0.1:${port}`), ...(tls && { tls }) };
    return new EngineClient(endpoint, {});
  };

  test('is reached with the certificates of both sides', async () => {
    const client = clientWith({ ca: read('ca.pem'), cert: read('client.pem'), key: read('client.key'), verify: true });
    expect((await client.call(info)).json).toEqual({ Name: 'behind TLS' });
    client.close();
  });

  test('is not trusted without its authority, unless verification was given up', async () => {
    const pair = { cert: read('client.pem'), key: read('client.key') };
    await expect(clientWith({ ...pair, verify: true }).call(info)).rejects.toMatchObject({
      code: 'engine-unreachable',
    });
    const client = clientWith({ ...pair, verify: false });
    expect((await client.call(info)).json).toEqual({ Name: 'behind TLS' });
    client.close();
  });

  test('does not talk to a client without a certificate', async () => {
    await expect(clientWith({ ca: read('ca.pem'), verify: true }).call(info)).rejects.toMatchObject({ exitCode: 3 });
  });
});

/** An authority and two certificates: for the server at 127.0.0.1 and for a client. */
function makeCertificates(dir: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority');
  const usages = { server: 'serverAuth', client: 'clientAuth' };
  for (const [name, usage] of Object.entries(usages)) {
    writeFileSync(join(dir, `${name}.ext`), `extendedKeyUsage=${usage}\nsubjectAltName=IP:127.0.0.1\n`);
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`];
    openssl('x509', '-req', '-in', `${name}.csr`, ...sign, '-out', `${name}.pem`);
  }
}
