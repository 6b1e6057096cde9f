import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../registry/registry.ts';
import { testCacheDir } from '../runner/cache-dir.ts';
import { makeOnce, runToEnd } from '../runner/make-once.ts';

/** Pool of one channel, by the port of its container at 127.0.0.1. */
export type Pools = Record<'dark' | 'canary' | 'production', number>;

/** Load balancer (Debian's haproxy) in front of three pools. */
export interface Balancer extends AsyncDisposable {
  port: number;
  /** Sends new requests to these ports; requests that run are answered by the old ones. */
  route(pools: Pools): Promise<void>;
}

/** Header by which a developer reaches the dark canary. */
export const darkHeader = { 'x-dark': 'yes' };

/** Starts haproxy: the header reaches the dark canary, a quarter of all others the canary, the rest production. */
export async function startBalancer(pools: Pools): Promise<Balancer> {
  const dir = await ensureHaproxy();
  const ownDir = mkdtempSync(join(tmpdir(), 'gbuild-haproxy-'));
  const configFile = join(ownDir, 'haproxy.cfg');
  const socket = join(ownDir, 'admin.sock');
  const port = await findFreePort();
  const write = (to: Pools) => writeFileSync(configFile, formatConfig(port, socket, to));
  write(pools);
  const libraries = readdirSync(join(dir, 'usr/lib')).find((name) => name.endsWith('-linux-gnu'));
  const child = spawn(join(dir, 'usr/sbin/haproxy'), ['-W', '-db', '-f', configFile], {
    env: { PATH: process.env.PATH, LD_LIBRARY_PATH: join(dir, 'usr/lib', libraries ?? '') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  for (let tries = 0; (await readPid(port)) === undefined; tries += 1) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`haproxy did not start:\n${log}`);
    await sleep(50);
  }
  return {
    port,
    route: async (to) => {
      const before = await readPid(port);
      write(to);
      child.kill('SIGUSR2');
      for (let tries = 0; (await readPid(port)) === before; tries += 1) {
        if (tries > 200) throw new Error(`haproxy did not take its new file:\n${log}`);
        await sleep(50);
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(ownDir, { recursive: true, force: true });
    },
  };
}

/** The listening socket goes from one process to the next, so that no connection is refused meanwhile. */
function formatConfig(port: number, socket: string, { dark, canary, production }: Pools): string {
  const pool = (name: string, at: number) => `backend ${name}\n  server one 127.0.0.1:${at} check inter 200ms\n`;
  return `global
  stats socket ${socket} mode 600 level admin expose-fd listeners
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  option redispatch
  retries 3
frontend all
  bind 127.0.0.1:${port}
  http-request return status 200 content-type text/plain lf-string "%pid" if { path /balancer }
  use_backend dark if { req.hdr(x-dark) yes }
  use_backend canary if { rand(100) lt 25 }
  default_backend production
${pool('dark', dark)}${pool('canary', canary)}${pool('production', production)}`;
}

/** Reads which process answers; undefined where none does. */
function readPid(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/balancer', agent: false }, async (answer) => {
      resolve((await answer.toArray()).join(''));
    }).on('error', () => resolve(undefined));
  });
}

/** Extracts program and libraries from Debian's packages, once: installing them would start a service. */
async function ensureHaproxy(): Promise<string> {
  const dir = join(testCacheDir, `haproxy-${process.arch}`);
  await makeOnce(dir, 'fetch haproxy', async (temporary) => {
    const cwd = `${temporary}.deb`;
    mkdirSync(cwd, { recursive: true });
    const wanted = ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'];
    try {
      const download = () => runToEnd('apt-get', ['download', '-q', ...wanted], { cwd });
      await download().catch(async () => {
        await runToEnd('apt-get', ['update', '-q']);
        await download();
      });
      for (const name of readdirSync(cwd)) await runToEnd('dpkg', ['-x', name, temporary], { cwd });
    } finally {
      rmSync(cwd, { recursive: true, force: true });
    }
  });
  return dir;
}
