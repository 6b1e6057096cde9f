import { join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { largestSettings, readWhole } from '../../fs/read-bounded.ts';
import type { Host } from '../../host.ts';
import type { RegistryAddress } from '../http/address.ts';
import type { Credentials } from './credential-helper.ts';
import { askHelper } from './credential-helper.ts';

interface AuthEntry {
  auth?: string;
  username?: string;
  password?: string;
  identitytoken?: string;
  registrytoken?: string;
}

interface DockerConfig {
  auths?: Record<string, AuthEntry>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
}

/**
 * Finds the login that `docker login` stored for a registry, in the docker client's order: its own helper
 * (`credHelpers`), the common helper (`credsStore`), the file (`auths`). `undefined` where none has it. Throws
 * `registry-denied` where the file or a helper is broken, with the file's name.
 */
export async function findCredentials(
  address: RegistryAddress,
  host: Pick<Host, 'env' | 'homeDir'>,
  signal: AbortSignal,
): Promise<Credentials | undefined> {
  const file = configFile(host);
  const config = readConfig(file);
  const own = config.credHelpers?.[address.name] ?? config.credHelpers?.[address.credentialKey];
  const helper = own || config.credsStore;
  if (helper) {
    const askedBy = `${own ? 'credHelpers' : 'credsStore'} in ${file}`;
    const found = await askHelper(helper, address, { env: host.env, askedBy, signal });
    if (found !== undefined) return found;
  }
  return findEntry(config, address, file);
}

/** Returns the path of the docker client's logins. */
export function configFile({ env, homeDir }: Pick<Host, 'env' | 'homeDir'>): string {
  return join(env.DOCKER_CONFIG || join(homeDir, '.docker'), 'config.json');
}

function readConfig(file: string): DockerConfig {
  let text: string;
  try {
    text = readWhole(file, largestSettings).toString();
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return {};
    throw broken(file, `cannot read the docker config ${file}: ${messageOf(cause)}`, cause);
  }
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    // The parser's message shows a piece of the text, which holds passwords.
    throw broken(file, `the docker config ${file} is not JSON`);
  }
}

/** Finds the entry. Keys are hosts, or addresses as old clients wrote them: `https://HOST/v1/`. */
function findEntry({ auths = {} }: DockerConfig, address: RegistryAddress, file: string): Credentials | undefined {
  const key = [address.credentialKey, address.name].find((each) => Object.hasOwn(auths, each));
  const loose = key ?? Object.keys(auths).find((each) => hostOf(each) === address.name);
  const entry = loose === undefined ? undefined : auths[loose];
  return entry === undefined ? undefined : parseEntry(entry, `the entry ${JSON.stringify(loose)} of ${file}`);
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

function parseEntry(entry: AuthEntry, origin: string): Credentials | undefined {
  if (entry.registrytoken) return { origin, kind: 'bearer', token: entry.registrytoken };
  if (entry.identitytoken) return { origin, kind: 'identity', token: entry.identitytoken };
  const text = entry.auth ? Buffer.from(entry.auth, 'base64').toString('utf8') : '';
  const colon = text.indexOf(':');
  const user = colon > 0 ? text.slice(0, colon) : entry.username;
  const password = colon > 0 ? text.slice(colon + 1).replace(/\0+$/, '') : entry.password;
  return user && password ? { origin, kind: 'password', user, password } : undefined;
}

function broken(file: string, message: string, cause?: unknown): GbuildError {
  return new GbuildError('config-invalid', message, { suggestions: [`ls -l ${file}`], cause, facts: { file } });
}

/** Formats Basic authentication (RFC 7617), in UTF-8. */
export function basic(credentials: Credentials): string | undefined {
  if (credentials.kind !== 'password') return undefined;
  return `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`;
}
