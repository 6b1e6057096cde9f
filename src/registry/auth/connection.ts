import { GbuildError, messageOf } from '../../errors.ts';
import { isNotTls } from '../http/failures.ts';
import { readRegistryError } from '../http/refusals.ts';
import { type Answer, RegistryHttp, type RegistryHttpContext, type RegistryHttpRequest } from '../http/requests.ts';
import { TransientError } from '../http/retry.ts';
import type { Authorizer } from './authorizer.ts';
import { parseChallenges } from './challenge.ts';

/** Request to a registry. */
export interface AuthorizedRequest extends RegistryHttpRequest {
  /** Path below `/v2/`, or an address that the registry gave. */
  at: string | URL;
  /** Scopes that a token must allow, such as `repository:team/app:pull`. */
  scopes: readonly string[];
}

export interface ConnectionContext extends RegistryHttpContext {
  authorizer: Authorizer;
  /** Whether plain HTTP may be tried after TLS: on this machine, or where the caller allows it. */
  mayBePlain: boolean;
}

const mostRedirects = 5;

/** Connection to one registry for the life of a command: scheme, authorization, redirects and retries. */
export class Connection extends RegistryHttp {
  readonly #context: ConnectionContext;
  #base: Promise<URL> | undefined;

  constructor(context: ConnectionContext) {
    super(context);
    this.#context = context;
  }

  /** Repeats a request until its answer is accepted. Throws for a permanent failure. */
  ask(request: AuthorizedRequest, accept: readonly number[]): Promise<Answer> {
    return this.retry(() => this.askOnce(request, accept));
  }

  /** Does the same and reads the whole body. */
  async read(request: AuthorizedRequest, accept: readonly number[]): Promise<Answer & { bytes: Buffer }> {
    return this.retry(async () => {
      const answer = await this.askOnce(request, accept);
      return { ...answer, bytes: await this.readAll(answer, request.what) };
    });
  }

  /** Sends a request once; throws a TransientError for a failure that may pass. */
  async askOnce(request: AuthorizedRequest, accept: readonly number[]): Promise<Answer> {
    const base = await this.#open();
    let url = request.at instanceof URL ? request.at : new URL(`/v2/${request.at}`, base);
    for (let hops = 0; ; hops += 1) {
      const answer = await this.#authorized(url, base, request);
      const next = hops < mostRedirects ? redirectOf(answer, request.method) : undefined;
      if (next === undefined) return await this.#accept(answer, request, accept);
      await this.discard(answer);
      url = next;
    }
  }

  /** Sends a request with credentials, which go to the registry itself and never to other hosts that it names. */
  async #authorized(url: URL, base: URL, request: AuthorizedRequest): Promise<Answer> {
    const { authorizer } = this.#context;
    if (url.origin !== base.origin) return this.send(url, request);
    const authorization = await authorizer.headerFor(request.scopes);
    const answer = await this.send(url, withAuthorization(request, authorization));
    if (answer.status !== 401) return answer;
    const said = readRegistryError((await this.readAll(answer, request.what)).toString());
    const renewed = await authorizer.renew(challengesOf(answer), request.scopes, authorization);
    if (renewed === undefined) throw await this.#denied(request.what, answer, said);
    const second = await this.send(url, withAuthorization(request, renewed));
    if (second.status !== 401) return second;
    await this.discard(second);
    authorizer.learn(challengesOf(second));
    throw await this.#denied(request.what, second, said);
  }

  #denied(what: string, { headers: { date } }: Answer, said: string | undefined): Promise<Error> {
    const { authorizer, redactor } = this.#context;
    return authorizer.refuse(what, { date, said: said === undefined ? undefined : redactor.mask(said) });
  }

  async #accept(answer: Answer, { what, method }: RegistryHttpRequest, accept: readonly number[]): Promise<Answer> {
    if (accept.includes(answer.status)) return answer;
    const text = method === 'HEAD' ? '' : (await this.readAll(answer, what)).toString();
    throw this.refusal(what, answer, text);
  }

  #open(): Promise<URL> {
    this.#base ??= this.retry(() => this.#probe()).catch((thrown: unknown) => {
      this.#base = undefined;
      throw thrown;
    });
    return this.#base;
  }

  /** Finds the scheme and the authorization that the registry requires ("end-1" of the distribution-spec). */
  async #probe(): Promise<URL> {
    const { address, mayBePlain } = this.#context;
    const plain = new URL(`http://${address.host}/`);
    // No other machine can listen in on a local connection, and few local registries speak TLS. The greeting contains
    // nothing about the caller.
    if (address.isLoopback && (await this.#isPlain(plain))) return plain;
    const secure = new URL(`https://${address.host}/`);
    try {
      await this.#greet(secure);
      return secure;
    } catch (thrown) {
      if (!mayBePlain || !isWithoutTls(thrown)) throw thrown;
    }
    await this.#greet(plain);
    return plain;
  }

  /** Returns false where the registry may require TLS. */
  async #isPlain(base: URL): Promise<boolean> {
    try {
      await this.#greet(base);
      return true;
    } catch (thrown) {
      if (thrown instanceof GbuildError || isWithoutTls(thrown)) return false;
      throw thrown;
    }
  }

  async #greet(base: URL): Promise<void> {
    const request = { what: 'answer as a registry does (GET /v2/)', method: 'GET' } as const;
    const answer = await this.send(new URL('/v2/', base), request);
    if (answer.status === 401) this.#context.authorizer.learn(challengesOf(answer));
    await this.discard(await this.#accept(answer, request, [200, 401, 403]));
  }
}

function challengesOf({ headers }: Answer) {
  return parseChallenges(headers['www-authenticate'] ?? '');
}

function withAuthorization(request: RegistryHttpRequest, authorization: string | undefined): RegistryHttpRequest {
  if (authorization === undefined) return request;
  return { ...request, headers: { ...request.headers, Authorization: authorization } };
}

/** Whether the other side speaks no TLS, closes at the greeting, or does not listen. */
function isWithoutTls(thrown: unknown): boolean {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const isClosed = thrown instanceof TransientError && messageOf(cause).includes('socket');
  return isNotTls(cause) || isClosed || ['ECONNREFUSED', 'ECONNRESET', 'HPE_INVALID_CONSTANT'].includes(code);
}

/**
 * Returns the address of a redirect. 307 and 308 keep the method; the older codes are followed for reading only. Never
 * leads from TLS to plain HTTP.
 */
function redirectOf({ status, headers, url }: Answer, method: RegistryHttpRequest['method']): URL | undefined {
  const isReading = method === 'GET' || method === 'HEAD';
  const follows = [307, 308].includes(status) || (isReading && [301, 302, 303].includes(status));
  if (!follows || headers.location === undefined || !URL.canParse(headers.location, url.href)) return undefined;
  const next = new URL(headers.location, url);
  if (next.protocol === 'http:' && url.protocol === 'https:') return undefined;
  return ['http:', 'https:'].includes(next.protocol) ? next : undefined;
}
