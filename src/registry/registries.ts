import type { Host, Stop } from '../host.ts';
import { Authorizer } from './auth/authorizer.ts';
import { Connection } from './auth/connection.ts';
import { findCredentials } from './auth/credentials.ts';
import { type TokenContext, Tokens } from './auth/tokens.ts';
import { addressOf, type RegistryAddress } from './http/address.ts';
import { type RegistryTls, readRegistryTls } from './http/certificates.ts';
import { Dialer } from './http/dial.ts';
import { Redactor } from './http/redact.ts';
import { isTransientStatus } from './http/retry.ts';
import { defaultSettings, type RegistrySettings } from './http/settings.ts';
import { listRepositories } from './manifest/repositories.ts';
import { Repository } from './repository.ts';

export interface RegistriesOptions {
  host: Pick<Host, 'env' | 'homeDir'>;
  stop: Pick<Stop, 'ask'>;
  /** Reads PEM of additional roots to trust; called for the first TLS connection. */
  readExtraRoots?: () => string;
  /** Registries (`HOST` or `HOST:PORT`) that may have any certificate, or none. */
  insecure?: readonly string[];
  settings?: Partial<RegistrySettings>;
  /** Called with one line for each request; it contains no secret. */
  trace?: (line: string) => void;
  /** Called with a registry's message to its users, once for each. */
  warn?: (text: string) => void;
}

/** Registries for the life of one command: connections, credentials and tokens are kept until it is closed. */
export interface Registries {
  repository(name: { registry: string; path: string }): Repository;
  /** Lists the repositories of a registry, where it tells. */
  listRepositories(registry: string): Promise<string[]>;
  close(): void;
}

/** Opens nothing yet: a registry is contacted, and its certificates and credentials are read, at its first use. */
export function openRegistries(options: RegistriesOptions): Registries {
  const opened = new Map<string, { connection: Connection; dialer: Dialer; address: RegistryAddress }>();
  const open = (registry: string) => {
    const address = addressOf(registry);
    const known = opened.get(address.name) ?? { ...connect(address, options), address };
    opened.set(address.name, known);
    return known;
  };
  return {
    repository: ({ registry, path }) => {
      const { connection, address } = open(registry);
      return new Repository(connection, address, path, { ...defaultSettings, ...options.settings });
    },
    listRepositories: (registry) => listRepositories(open(registry).connection),
    close: () => {
      for (const { dialer } of opened.values()) dialer.close();
      opened.clear();
    },
  };
}

function connect(address: RegistryAddress, options: RegistriesOptions): { connection: Connection; dialer: Dialer } {
  const { host, stop, readExtraRoots = () => '', insecure = [], trace = () => {}, warn = () => {} } = options;
  const settings = { ...defaultSettings, ...options.settings };
  const redactor = new Redactor();
  const isInsecure = insecure.includes(address.name);
  const own = new URL(`https://${address.host}`).host;
  let tls: RegistryTls | undefined;
  const readTls = () => {
    tls ??= readRegistryTls(address, host, readExtraRoots());
    return tls;
  };
  const dialer = new Dialer({
    env: host.env,
    verify: !isInsecure,
    secureContextFor: (url) => readTls()[url.host === own ? 'own' : 'others'],
  });
  const tokens = new Tokens({
    registry: address.name,
    redactor,
    insecure: isInsecure,
    ask: (url, wanted) => askTokenServer(connection, url, wanted),
  });
  const find = () => findCredentials(address, host, stop.ask);
  const connection: Connection = new Connection({
    address,
    settings,
    signal: stop.ask,
    dialer,
    authorizer: new Authorizer(address, { find, tokens, redactor }),
    redactor,
    mayBePlain: isInsecure || address.isLoopback,
    trace,
    warn,
  });
  return { connection, dialer };
}

async function askTokenServer(
  connection: Connection,
  url: URL,
  { authorization, form }: Parameters<TokenContext['ask']>[1],
): ReturnType<TokenContext['ask']> {
  const what = 'give a token';
  const bytes = form && Buffer.from(form.toString());
  const request = {
    what,
    method: bytes === undefined ? 'GET' : 'POST',
    headers: {
      ...(authorization !== undefined && { Authorization: authorization }),
      ...(bytes && { 'Content-Type': 'application/x-www-form-urlencoded' }),
    },
    ...(bytes && { body: { size: bytes.length, open: () => [bytes] } }),
  } as const;
  return connection.retry(async () => {
    const answer = await connection.send(url, request);
    const text = (await connection.readAll(answer, what)).toString();
    if (isTransientStatus(answer.status)) throw connection.refusal(what, answer, text);
    return { status: answer.status, text, date: answer.headers.date };
  });
}
