import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError } from '../../errors.ts';
import type { Host } from '../../host.ts';
import type { Endpoint } from './endpoint.ts';

/** Socket that engines use by default. */
export interface SocketCandidate {
  path: string;
  source: 'default socket' | 'rootless socket' | 'podman socket';
}

/** Lists the sockets to try when nothing names an engine, in order. */
export function socketCandidates(host: Host): SocketCandidate[] {
  if (host.platform === 'win32') return [{ path: '//./pipe/docker_engine', source: 'default socket' }];
  const runtimeDir = host.env.XDG_RUNTIME_DIR || `/run/user/${host.uid}`;
  return [
    { path: '/var/run/docker.sock', source: 'default socket' },
    { path: join(host.homeDir, '.docker/run/docker.sock'), source: 'default socket' },
    { path: join(runtimeDir, 'docker.sock'), source: 'rootless socket' },
    { path: join(runtimeDir, 'podman/podman.sock'), source: 'podman socket' },
    { path: '/run/podman/podman.sock', source: 'podman socket' },
  ];
}

/** Result of the search: the first usable socket, and the faults of those before it. */
export interface FoundSocket {
  endpoint?: Endpoint;
  warnings: string[];
}

/** Finds the first socket that this user may use. */
export function findSocket(sockets: SocketCandidate[], reasonOf: (path: string) => string): FoundSocket {
  const warnings: string[] = [];
  for (const { path, source } of sockets) {
    if (!isSocket(path)) continue;
    if (!isWritable(path)) {
      warnings.push(`${path} exists, but this user may not use it (is it in the group "docker"?)`);
      continue;
    }
    const url = path.startsWith('//') ? `npipe://${path}` : `unix://${path}`;
    return { endpoint: { url, socketPath: path, source, reason: reasonOf(path), warnings }, warnings };
  }
  return { warnings };
}

/** Lists the addresses of all usable sockets. */
export function findSockets(sockets: SocketCandidate[]): string[] {
  return sockets.flatMap((place) => findSocket([place], () => '').endpoint?.url ?? []);
}

/** Reports that nothing names an engine and no socket is usable. `running` are machines that the caller could name. */
export function noEngine(sockets: SocketCandidate[], warnings: string[], running: string[]): GbuildError {
  const tried = sockets.map(({ path }) => path).join(', ');
  const why = [...warnings, ...(running.length > 0 ? [`several machines run: ${running.join(', ')}`] : [])];
  return new GbuildError(
    'engine-unreachable',
    `no container engine found: no flag, DOCKER_HOST, DOCKER_CONTEXT, config.yml or docker context names one, and none of these sockets can be used: ${tried}${why.map((line) => `\n${line}`).join('')}`,
    { suggestions: suggestEngine(warnings, running), facts: { tried: sockets.map(({ path }) => path) } },
  );
}

function suggestEngine(warnings: string[], running: string[]): string[] {
  if (running.length > 0) return running.map((name) => `gbuild engine use machine:${name}`);
  if (warnings.length > 0) return ['sudo usermod -aG docker "$USER"   # then log in again', 'sudo gbuild doctor'];
  return [
    'sudo systemctl start docker',
    'sudo apt-get install docker.io   # on Debian and Ubuntu',
    'gbuild engine use ssh://USER@HOST',
  ];
}

function isSocket(path: string): boolean {
  if (path.startsWith('//./pipe/')) return true;
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}

function isWritable(path: string): boolean {
  if (path.startsWith('//./pipe/')) return true;
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
