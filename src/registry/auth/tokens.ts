import { GbuildError } from '../../errors.ts';
import { hostnameOf, isLoopback } from '../http/address.ts';
import type { Redactor } from '../http/redact.ts';
import type { Challenge } from './challenge.ts';
import type { Credentials } from './credential-helper.ts';
import { basic } from './credentials.ts';

/** Answer of a token server. */
export interface TokenAnswer {
  status: number;
  text: string;
  /** Date header of the answer. */
  date: string | undefined;
}

export interface TokenContext {
  registry: string;
  redactor: Redactor;
  /** Whether plain HTTP is allowed for this registry. */
  insecure: boolean;
  /** Asks a token server: a form is posted, otherwise it is a GET. Repeats after failures that may pass. */
  ask(url: URL, options: { authorization?: string; form?: URLSearchParams }): Promise<TokenAnswer>;
}

interface KeptToken {
  token: string;
  /** Expiry by performance.now(). */
  until: number;
}

const clientId = 'gbuild';
const shortestLife = 60;

/**
 * Bearer tokens of one registry, each requested once (Docker's token authentication). A password or an anonymous
 * request uses GET, an identity token uses the OAuth2 POST.
 */
export class Tokens {
  readonly #context: TokenContext;
  readonly #kept = new Map<string, Promise<KeptToken>>();
  /** Date of the last answer with a token. */
  #date: string | undefined;

  constructor(context: TokenContext) {
    this.#context = context;
  }

  /** Returns a token for the scopes. Throws `registry-denied` when the server refuses the credentials. */
  async get(challenge: Challenge, scopes: readonly string[], credentials: Credentials | undefined): Promise<string> {
    const key = keyOf(challenge, scopes);
    for (let known = this.#kept.get(key); known !== undefined; ) {
      const kept = await known.catch(() => undefined);
      if (kept !== undefined && performance.now() < kept.until) return kept.token;
      // Another caller may have requested a new token meanwhile.
      const next = this.#kept.get(key);
      known = next === known ? undefined : next;
    }
    const asked = this.#fetch(challenge, scopes, credentials);
    this.#kept.set(key, asked);
    return (await asked).token;
  }

  /** Returns the seconds by which the token server's clock was ahead of the one that gave this date; 0 when unknown. */
  secondsAhead(date: string | undefined): number {
    const seconds = (Date.parse(this.#date ?? '') - Date.parse(date ?? '')) / 1000;
    return Number.isNaN(seconds) ? 0 : seconds;
  }

  forget(challenge: Challenge, scopes: readonly string[]): void {
    this.#kept.delete(keyOf(challenge, scopes));
  }

  async #fetch(
    challenge: Challenge,
    scopes: readonly string[],
    credentials: Credentials | undefined,
  ): Promise<KeptToken> {
    const { registry, redactor, ask } = this.#context;
    const url = this.#readRealm(challenge);
    const { service } = challenge.parameters;
    const answer =
      credentials?.kind === 'identity'
        ? await ask(url, { form: refreshForm(credentials.token, service, scopes) })
        : await ask(...plainRequest(url, service, scopes, credentials));
    if (answer.status !== 200) throw deniedBy(registry, url, answer.status, credentials);
    const { token, seconds } = parseToken(answer.text) ?? {};
    if (token === undefined) throw notAToken(registry, url);
    redactor.add(token);
    this.#date = answer.date;
    const life = Math.max(seconds ?? 0, shortestLife);
    return { token, until: performance.now() + (life - Math.min(15, life / 2)) * 1000 };
  }

  /** Reads the realm, which receives passwords: plain HTTP is refused where the registry itself uses TLS. */
  #readRealm({ parameters }: Challenge): URL {
    const { registry, insecure } = this.#context;
    const { realm = '' } = parameters;
    const url = URL.canParse(realm) ? new URL(realm) : undefined;
    if (url !== undefined && (url.protocol === 'https:' || mayBePlain(url, insecure))) return url;
    throw new GbuildError(
      'registry-failed',
      `the registry ${registry} names a token server that gbuild does not ask: ${url === undefined ? 'its address is not understood' : `${url.origin} is not https`}`,
      { facts: { registry } },
    );
  }
}

function mayBePlain(url: URL, insecure: boolean): boolean {
  return url.protocol === 'http:' && (insecure || isLoopback(hostnameOf(url.host)));
}

function keyOf({ parameters }: Challenge, scopes: readonly string[]): string {
  return [parameters.realm, parameters.service, ...[...scopes].sort()].join('\n');
}

function refreshForm(token: string, service: string | undefined, scopes: readonly string[]): URLSearchParams {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, client_id: clientId });
  if (service !== undefined) form.set('service', service);
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  return form;
}

function plainRequest(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  credentials: Credentials | undefined,
): [URL, { authorization?: string }] {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  url.searchParams.set('client_id', clientId);
  if (credentials?.kind !== 'password') return [url, {}];
  url.searchParams.set('account', credentials.user);
  return [url, { authorization: basic(credentials)! }];
}

function parseToken(text: string): { token?: string; seconds?: number } | undefined {
  try {
    const json = JSON.parse(text) as { token?: unknown; access_token?: unknown; expires_in?: unknown };
    const token = json.token || json.access_token;
    return {
      ...(typeof token === 'string' && token !== '' && { token }),
      ...(typeof json.expires_in === 'number' && { seconds: json.expires_in }),
    };
  } catch {
    return undefined;
  }
}

function deniedBy(registry: string, url: URL, status: number, credentials: Credentials | undefined): GbuildError {
  const server = `the token server ${url.host} of the registry ${registry}`;
  const why =
    credentials === undefined
      ? 'gives no token without credentials, and there are none'
      : `does not take ${credentials.origin}`;
  return new GbuildError('registry-denied', `${server} ${why} (HTTP ${status})`, {
    suggestions: [`docker login ${registry}`],
    facts: { registry, status },
  });
}

function notAToken(registry: string, url: URL): GbuildError {
  const message = `the token server ${url.host} of the registry ${registry} answered without a token`;
  return new GbuildError('registry-failed', message, { facts: { registry } });
}
