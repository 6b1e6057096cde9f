import { join } from 'node:path';
import type { Host } from '../../host.ts';
import type { SshAccess } from '../ssh/connection.ts';
import { parseAddress } from './address.ts';
import type { DockerContext } from './docker-config.ts';
import { type EngineTls, readTlsFolder } from './tls.ts';

/** Address of an engine and the reason of its choice. Exactly one of `socketPath`, `host` and `ssh` is set. */
export interface Endpoint {
  /** Address as DOCKER_HOST would spell it; never with credentials. */
  url: string;
  socketPath?: string;
  host?: string;
  port?: number;
  ssh?: SshAccess;
  tls?: EngineTls;
  /** Docker context that it came from. */
  context?: string;
  /** Name of its machine in docker-machine. */
  machine?: string;
  source:
    | 'flag --host'
    | 'flag --context'
    | 'flag --machine'
    | 'DOCKER_HOST'
    | 'DOCKER_CONTEXT'
    | 'config.yml'
    | 'docker config'
    | 'default socket'
    | 'rootless socket'
    | 'podman socket'
    | 'running machine'
    | 'podman program';
  /** Reason for people why this engine was chosen, in one sentence. */
  reason: string;
  /** Warnings for the caller: variables that disagree, a socket that was skipped. */
  warnings: string[];
  /** Stops what was started for this engine. */
  close?: () => void;
  /**
   * Caller's clock when the engine was chosen, in milliseconds since 1970: certificates' dates are compared with it.
   */
  chosenAt?: number;
}

type Why = Pick<Endpoint, 'source' | 'reason' | 'warnings'>;

/** Builds the endpoint of an address; DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH decide about TLS. */
export function endpointAt(host: Host, address: string, why: Why): Endpoint {
  const verify = Boolean(host.env.DOCKER_TLS_VERIFY);
  const wantsTls = verify || Boolean(host.env.DOCKER_TLS);
  const { at, ssh, secure } = parseAddress(address, why.source, wantsTls);
  if (ssh !== undefined) return { ...at, ssh: accessOf(host, ssh), ...why };
  if (at.socketPath !== undefined || !(wantsTls || secure)) return { ...at, ...why };
  const directory = host.env.DOCKER_CERT_PATH || join(host.homeDir, '.docker');
  const tls = readTlsFolder(directory, verify || !host.env.DOCKER_TLS, {
    named: host.env.DOCKER_CERT_PATH ? 'DOCKER_CERT_PATH' : undefined,
  });
  return { ...at, tls, ...why, chosenAt: host.startedAt };
}

/** Builds the endpoint of a docker context, with the context's certificates. */
export function endpointOfContext(host: Host, context: DockerContext, why: Why): Endpoint {
  const tls =
    context.tlsDirectory === undefined ? undefined : readTlsFolder(context.tlsDirectory, !context.skipVerify, {});
  const { at, ssh, secure } = parseAddress(context.host, why.source, tls !== undefined);
  const named = { ...at, context: context.name, ...why };
  if (ssh !== undefined) return { ...named, ssh: accessOf(host, ssh) };
  if (at.socketPath !== undefined || !(tls !== undefined || secure)) return named;
  return { ...named, tls: tls ?? { verify: !context.skipVerify }, chosenAt: host.startedAt };
}

/** Whether the engine is behind a network, which may break while the engine continues. */
export function isRemote({ socketPath }: Endpoint): boolean {
  return socketPath === undefined;
}

/**
 * Returns the variables that make a child process (a docker client, a test that starts containers) use the same engine.
 */
export function endpointEnv({ url, tls, machine }: Endpoint): Record<string, string> {
  return {
    DOCKER_HOST: url,
    DOCKER_CONTEXT: '',
    DOCKER_TLS: tls !== undefined && !tls.verify ? '1' : '',
    DOCKER_TLS_VERIFY: tls?.verify ? '1' : '',
    DOCKER_CERT_PATH: tls?.directory ?? '',
    DOCKER_MACHINE_NAME: machine ?? '',
  };
}

function accessOf(host: Host, target: SshAccess['target']): SshAccess {
  return { target, env: host.env, mayAsk: host.isTerminal && !host.isCI, canShare: host.platform !== 'win32' };
}
