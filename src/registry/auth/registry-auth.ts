import type { Host } from '../../host.ts';
import { addressOf } from '../http/address.ts';
import type { Credentials } from './credential-helper.ts';
import { findCredentials } from './credentials.ts';

/** Encodes the caller's login for an engine (Docker API, X-Registry-Auth); undefined where the caller has none. */
export async function findRegistryAuth(
  registry: string,
  host: Pick<Host, 'env' | 'homeDir'>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const address = addressOf(registry);
  const found = await findCredentials(address, host, signal);
  return found && formatRegistryAuth(found, address.credentialKey);
}

function formatRegistryAuth(credentials: Credentials, serveraddress: string): string {
  const json = JSON.stringify({ ...authOf(credentials), serveraddress });
  // The URL alphabet of RFC 4648 with padding; Node's own base64url has none.
  return Buffer.from(json).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

function authOf(credentials: Credentials): object {
  if (credentials.kind === 'password') return { username: credentials.user, password: credentials.password };
  return credentials.kind === 'identity' ? { identitytoken: credentials.token } : { registrytoken: credentials.token };
}
