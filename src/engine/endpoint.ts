import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError } from '../errors.ts';
import type { Host } from '../host.ts';
import { parseAddress } from './address.ts';
import { type DockerContext, listContexts, readContext, readCurrentContext } from './docker-config.ts';
import { type EngineTls, readTlsFolder } from './tls.ts';

/** Where an engine is and why it was chosen. Exactly one of `socketPath` and `host` is set. */
export interface Endpoint {
  /** As DOCKER_HOST would spell it; never with credentials. */
  url: string;
  socketPath?: string;
  host?: string;
  port?: number;
  tls?: EngineTls;
  /** The docker context it came from. */
  context?: string;
  source:
    | 'flag --host'
    | 'flag --context'
    | 'DOCKER_HOST'
    | 'DOCKER_CONTEXT'
    | 'docker config'
    | 'default socket'
    | 'rootless socket'
    | 'podman socket'
    | 'podman program';
  /** One sentence for people: why this engine and no other. */
  reason: string;
  /** What the caller should know: variables that disagree, a socket that was passed over. */
  warnings: string[];
  /** Ends what was started to have this engine. */
  close?: () => void;
}

/** A socket that engines use when nobody says where they are. */
export interface SocketPlace {
  path: string;
  source: 'default socket' | 'rootless socket' | 'podman socket';
}

/** The sockets tried when nothing names an engine, in order. */
export function socketPlaces(host: Host): SocketPlace[] {
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

/**
 * Chooses the engine in the docker client's order: flag, DOCKER_HOST, DOCKER_CONTEXT, the docker config's current
 * context, then sockets. Reads the docker config and certificates; opens no connection.
 *
 * @throws GbuildError `usage` (both flags, an unknown context, an address that is none), `engine-unreachable` (nothing found)
 */
export function chooseEndpoint(
  host: Host,
  flags: { host?: string; context?: string },
  places: SocketPlace[] = socketPlaces(host),
): Endpoint {
  if (flags.host !== undefined && flags.context !== undefined)
    throw new GbuildError('usage', '--host and --context both name an engine', {
      suggestions: ['leave one of them out', `gbuild doctor --context ${flags.context}`],
    });
  if (flags.host !== undefined) return fromAddress(host, flags.host, 'flag --host', 'the flag --host names it', []);
  if (flags.context !== undefined)
    return fromContextName(host, flags.context, 'flag --context', 'the flag --context names it', places);
  if (host.env.DOCKER_HOST) return fromDockerHost(host, 'DOCKER_HOST is set', disagreements(host));
  if (host.env.DOCKER_CONTEXT)
    return fromContextName(host, host.env.DOCKER_CONTEXT, 'DOCKER_CONTEXT', 'DOCKER_CONTEXT is set', places);
  const current = readCurrentContext(host);
  if (current !== undefined && current.name !== 'default')
    return fromContextName(
      host,
      current.name,
      'docker config',
      `"currentContext" in ${current.file} names it and neither DOCKER_HOST nor DOCKER_CONTEXT is set`,
      places,
    );
  return fromSocket(places);
}

/** Whether the way to it leads over a network, and may break while the engine goes on. */
export function isRemote({ socketPath }: Endpoint): boolean {
  return socketPath === undefined;
}

/** The variables that make a child process (a docker client, a test that starts containers) use the same engine. */
export function endpointEnv(endpoint: Endpoint): Record<string, string> {
  const { tls } = endpoint;
  return {
    DOCKER_HOST: endpoint.url,
    DOCKER_CONTEXT: '',
    DOCKER_TLS: tls !== undefined && !tls.verify ? '1' : '',
    DOCKER_TLS_VERIFY: tls?.verify ? '1' : '',
    DOCKER_CERT_PATH: tls?.directory ?? '',
  };
}

function fromDockerHost(host: Host, reason: string, warnings: string[]): Endpoint {
  return fromAddress(host, host.env.DOCKER_HOST ?? '', 'DOCKER_HOST', reason, warnings);
}

function fromAddress(
  host: Host,
  address: string,
  source: Endpoint['source'],
  reason: string,
  warnings: string[],
): Endpoint {
  const verify = Boolean(host.env.DOCKER_TLS_VERIFY);
  const wantsTls = verify || Boolean(host.env.DOCKER_TLS);
  const parsed = parseAddress(address, source, wantsTls);
  if (parsed.socketPath !== undefined || !(wantsTls || parsed.secure))
    return { ...parsed.at, source, reason, warnings };
  const directory = host.env.DOCKER_CERT_PATH || join(host.homeDir, '.docker');
  const tls = readTlsFolder(directory, verify || !host.env.DOCKER_TLS, {
    named: host.env.DOCKER_CERT_PATH ? 'DOCKER_CERT_PATH' : undefined,
  });
  return { ...parsed.at, tls, source, reason, warnings };
}

/** `default` is no context of the config: it means DOCKER_HOST or, without it, the default sockets. */
function fromContextName(
  host: Host,
  name: string,
  source: Endpoint['source'],
  reason: string,
  places: SocketPlace[],
): Endpoint {
  if (name === 'default') {
    if (host.env.DOCKER_HOST) return fromDockerHost(host, `${reason}, and "default" means DOCKER_HOST`, []);
    return fromSocket(places);
  }
  const context = readContext(host, name, source);
  return { ...fromContext(context, source), context: name, source, reason, warnings: [] };
}

function fromContext(context: DockerContext, source: Endpoint['source']): Pick<Endpoint, 'url'> & Partial<Endpoint> {
  const tls =
    context.tlsDirectory === undefined ? undefined : readTlsFolder(context.tlsDirectory, !context.skipVerify, {});
  const parsed = parseAddress(context.host, source, tls !== undefined);
  if (parsed.socketPath !== undefined || !(tls !== undefined || parsed.secure)) return parsed.at;
  return { ...parsed.at, tls: tls ?? { verify: !context.skipVerify } };
}

/** DOCKER_HOST beats DOCKER_CONTEXT, as in the docker client itself (its manual says the reverse): say so. */
function disagreements(host: Host): string[] {
  const name = host.env.DOCKER_CONTEXT;
  if (!name || name === 'default') return [];
  const context = listContexts(host).find((each) => each.name === name);
  if (context?.host === host.env.DOCKER_HOST) return [];
  const other = context === undefined ? 'which the docker config does not know' : `which is ${context.host}`;
  return [
    `DOCKER_HOST (${host.env.DOCKER_HOST}) and DOCKER_CONTEXT (${name}, ${other}) name two engines: DOCKER_HOST wins`,
  ];
}

function fromSocket(places: SocketPlace[]): Endpoint {
  const warnings: string[] = [];
  for (const { path, source } of places) {
    if (!isSocket(path)) continue;
    if (!isWritable(path)) {
      warnings.push(`${path} exists, but this user may not use it (is it in the group "docker"?)`);
      continue;
    }
    const url = path.startsWith('//') ? `npipe://${path}` : `unix://${path}`;
    return { url, socketPath: path, source, reason: `nothing names an engine and ${path} is there`, warnings };
  }
  throw new GbuildError('engine-unreachable', notFound(places, warnings), {
    suggestions:
      warnings.length > 0
        ? ['sudo usermod -aG docker "$USER"   # then log in again', 'sudo gbuild doctor']
        : [
            'sudo systemctl start docker',
            'sudo apt-get install docker.io   # on Debian and Ubuntu',
            'gbuild doctor --host tcp://HOST:PORT',
          ],
    facts: { tried: places.map(({ path }) => path) },
  });
}

function notFound(places: SocketPlace[], warnings: string[]): string {
  const tried = places.map(({ path }) => path).join(', ');
  const why = warnings.length > 0 ? `\n${warnings.join('\n')}` : '';
  return `no container engine found: no flag, DOCKER_HOST, DOCKER_CONTEXT or docker context names one, and none of these sockets can be used: ${tried}${why}`;
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
