import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineHostConfig, expectStatus } from '../engines/engine-container.ts';
import { answers, askEngine } from '../engines/engine-http.ts';
import { baseImage, engineImage, ensureTestImage, removeTestImage } from '../images/base-image.ts';
import { type Authority, type Issued, makeAuthority } from '../network/authority.ts';
import { putFiles } from './ssh-engine.ts';

/** Engine in a container that requires certificates of both sides. */
export interface TlsEngine extends AsyncDisposable {
  /** Address of its socket, for checks without gbuild. */
  host: string;
  /** Own address, with port 2376. */
  address: string;
  /** Port published on 127.0.0.1. */
  port: number;
  authority: Authority;
  client: Issued;
  /** Folder of this machine for the test's files. */
  dir: string;
  /** Stops the listener; the address stays. */
  stop(): Promise<void>;
}

const command = `rm -f /var/run/docker.pid
mount -o remount,rw /proc/sys
until [ -f /certs/ready ]; do sleep 0.1; done
exec dockerd -H tcp://0.0.0.0:2376 -H unix:///run/engine/docker.sock --tlsverify \\
  --tlscacert /certs/ca.pem --tlscert /certs/server.pem --tlskey /certs/server.key`;

/** Starts one inside a container of another engine; it has the base image and sees the given folders of this machine. */
export async function startTlsEngine(
  outer: string,
  options: { sees?: string[]; open?: (dir: string) => { authority: Authority; client: Issued } } = {},
): Promise<TlsEngine> {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-tls-engine-'));
  const { authority, client } = (options.open ?? openOwn)(dir);
  const imported = await ensureTestImage(outer, engineImage);
  const id = await createContainer(outer, [
    `${dir}:/run/engine`,
    ...(options.sees ?? []).map((each) => `${each}:${each}`),
  ]);
  const dispose = async () => {
    await askEngine(outer, 'DELETE', `/containers/${id}?force=1&v=1`);
    if (imported) await removeTestImage(outer, engineImage);
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await expectStatus(askEngine(outer, 'POST', `/containers/${id}/start`), 204);
    const { address, port } = await readPlace(outer, id);
    const server = authority.issue('server', [`IP:${address}`, 'IP:127.0.0.1']);
    await putFiles(outer, id, '/', {
      'certs/ca.pem': readFileSync(authority.rootFile),
      'certs/server.pem': readFileSync(server.certFile),
      'certs/server.key': readFileSync(server.keyFile),
      'certs/ready': Buffer.alloc(0),
    });
    const host = `unix://${dir}/docker.sock`;
    await waitFor(outer, id, host);
    await ensureTestImage(host, baseImage);
    const stop = () => expectStatus(askEngine(outer, 'POST', `/containers/${id}/kill`), 204);
    return { host, address, port, authority, client, dir, stop, [Symbol.asyncDispose]: dispose };
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
}

function openOwn(dir: string): { authority: Authority; client: Issued } {
  const authority = makeAuthority(join(dir, 'authority'));
  return { authority, client: authority.issue('client', ['DNS:client'], { usage: 'clientAuth' }) };
}

async function createContainer(outer: string, binds: string[]): Promise<string> {
  const { status, text } = await askEngine(outer, 'POST', '/containers/create', {
    json: {
      Image: engineImage,
      Cmd: ['sh', '-c', command],
      Labels: { 'io.gbuild.test': 'engine' },
      ExposedPorts: { '2376/tcp': {} },
      HostConfig: {
        ...engineHostConfig(binds),
        PortBindings: { '2376/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }] },
      },
    },
  });
  if (status !== 201) throw new Error(`no engine container: ${text}`);
  return (JSON.parse(text) as { Id: string }).Id;
}

async function readPlace(outer: string, id: string): Promise<{ address: string; port: number }> {
  const { text } = await askEngine(outer, 'GET', `/containers/${id}/json`);
  const { NetworkSettings } = JSON.parse(text) as {
    NetworkSettings: { IPAddress: string; Ports: Record<string, { HostPort: string }[] | null> };
  };
  return { address: NetworkSettings.IPAddress, port: Number(NetworkSettings.Ports['2376/tcp']?.[0]?.HostPort) };
}

async function waitFor(outer: string, id: string, host: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await answers(host)) return;
    await sleep(100);
  }
  const { text } = await askEngine(outer, 'GET', `/containers/${id}/logs?stdout=1&stderr=1&tail=30`);
  throw new Error(`the engine in container ${id} does not answer at ${host}:\n${text}`);
}
