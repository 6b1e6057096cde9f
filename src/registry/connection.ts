import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { messageOf } from '../errors.ts';
import type { RegistryAddress } from './address.ts';
import type { Authorizer } from './authorizer.ts';
import { parseChallenges } from './challenge.ts';
import type { Dialer } from './dial.ts';
import { exchange, readBody } from './exchange.ts';
import { isNotTls, networkFailure, type Place } from './failures.ts';
import { readRegistryError, refusalFailure } from './refusals.ts';
import { Attempts, PassingFailure } from './retry.ts';
import { formatUrl, type Secrets } from './secrets.ts';
import type { RegistrySettings } from './settings.ts';

/** One request to a registry. `what` completes "the registry HOST would not ...". */
export interface RegistryRequest {
  what: string;
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/v2/`, or an address that the registry gave. */
  at: string | URL;
  /** What a token must allow: `repository:team/app:pull`. */
  scopes: readonly string[];
  headers?: Record<string, string>;
  body?: RequestBody;
}

/** A body that can be made again for another try. */
export interface RequestBody {
  size: number;
  open(): Iterable<Buffer> | AsyncIterable<Buffer>;
  onBytes?(count: number): void;
}

/** An accepted answer, with its body still to be read. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** The address that answered, after redirects. */
  url: URL;
  stream: IncomingMessage;
}

export interface ConnectionContext {
  address: RegistryAddress;
  settings: RegistrySettings;
  signal: AbortSignal;
  dialer: Dialer;
  authorizer: Authorizer;
  secrets: Secrets;
  /** Plain HTTP may be tried after TLS: on this machine, or where the caller says so. */
  mayBePlain: boolean;
  trace: (line: string) => void;
}

const mostRedirects = 5;
const mostDiscarded = 64 * 1024;
/** Of a manifest, a token or an error; the largest manifest a registry takes is 4 MiB. */
const mostText = 8 * 1024 ** 2;

/** The way to one registry for the life of a command: scheme, authorization, redirects, retries and errors. */
export class Connection {
  readonly registry: string;
  readonly #context: ConnectionContext;
  #base: Promise<URL> | undefined;

  constructor(context: ConnectionContext) {
    this.registry = context.address.name;
    this.#context = context;
  }

  /** The caller wants to stop: nothing is sent any more. */
  get isStopping(): boolean {
    return this.#context.signal.aborted;
  }

  attempts(): Attempts {
    return new Attempts(this.#context.settings, this.#context.signal);
  }

  place(what: string): Place {
    return { registry: this.registry, what };
  }

  /** Asks until there is an accepted answer. Anything else is thrown, in the end. */
  ask(request: RegistryRequest, accept: readonly number[]): Promise<Answer> {
    return this.retry(() => this.askOnce(request, accept));
  }

  /** The same, with the whole body as bytes. */
  async read(request: RegistryRequest, accept: readonly number[]): Promise<Answer & { bytes: Buffer }> {
    return this.retry(async () => {
      const answer = await this.askOnce(request, accept);
      return { ...answer, bytes: await this.readAll(answer, request.what) };
    });
  }

  async retry<T>(act: () => Promise<T>): Promise<T> {
    const attempts = this.attempts();
    for (;;) {
      try {
        return await act();
      } catch (thrown) {
        await attempts.pause(thrown);
      }
    }
  }

  /** One try: a PassingFailure is thrown for what may pass. */
  async askOnce(request: RegistryRequest, accept: readonly number[]): Promise<Answer> {
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

  /** Ends an answer whose body nobody wants, so that the connection can be used again where that is cheap. */
  async discard({ stream }: Answer): Promise<void> {
    if (Number(stream.headers['content-length'] ?? 0) > mostDiscarded) stream.destroy();
    try {
      for await (const _chunk of readBody(stream, this.#context.settings));
    } catch {
      // What follows goes over another connection.
    }
  }

  /** The body as it comes; a connection that breaks or stalls is a PassingFailure. */
  async *stream(answer: Answer, what: string): AsyncGenerator<Buffer> {
    try {
      yield* readBody(answer.stream, this.#context.settings);
    } catch (thrown) {
      throw this.#failure(what, answer.url, thrown);
    }
  }

  async readAll(answer: Answer, what: string): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.stream(answer, what)) {
      size += chunk.length;
      if (size > mostText)
        throw this.#failure(what, answer.url, new Error(`its answer is larger than ${mostText} bytes`));
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  /** Sends one request as it is, without authorization of ours, redirects and retries. */
  async send(url: URL, request: Omit<RegistryRequest, 'at' | 'scopes'>): Promise<Answer> {
    const { dialer, settings, signal, trace, secrets } = this.#context;
    signal.throwIfAborted();
    const { what, method, body } = request;
    const length =
      body === undefined
        ? method === 'GET' || method === 'HEAD'
          ? {}
          : { 'Content-Length': '0' }
        : { 'Content-Length': String(body.size) };
    const headers = { 'User-Agent': 'gbuild', ...length, ...request.headers };
    const began = performance.now();
    const line = secrets.mask(`${method} ${formatUrl(url)}`);
    const source = new Source();
    try {
      const toSend = body && { chunks: source.watch(body.open()), onBytes: body.onBytes?.bind(body) };
      const stream = await exchange(dialer.open(url, { method, headers, signal }), toSend, settings);
      trace(`${line} ${stream.statusCode} ${Math.round(performance.now() - began)} ms`);
      return { status: stream.statusCode ?? 0, headers: stream.headers, url, stream };
    } catch (thrown) {
      trace(`${line} failed: ${secrets.mask(messageOf(thrown)).trim()}`);
      if (source.hasFailed) throw thrown;
      throw this.#failure(what, url, thrown);
    }
  }

  #failure(what: string, url: URL, thrown: unknown): unknown {
    const { signal, address } = this.#context;
    const isOwn = url.host === new URL(`${url.protocol}//${address.host}`).host;
    const place = { ...this.place(what), ...(!isOwn && { other: url.host }) };
    return signal.aborted ? signal.reason : networkFailure(place, thrown);
  }

  /** Credentials go to the registry itself, never to where it points. */
  async #authorized(url: URL, base: URL, request: RegistryRequest): Promise<Answer> {
    const { authorizer } = this.#context;
    if (url.origin !== base.origin) return this.send(url, request);
    const authorization = await authorizer.headerFor(request.scopes);
    const answer = await this.send(url, withAuthorization(request, authorization));
    if (answer.status !== 401) return answer;
    const challenges = parseChallenges(answer.headers['www-authenticate'] ?? '');
    const said = readRegistryError((await this.readAll(answer, request.what)).toString());
    const renewed = await authorizer.renew(challenges, request.scopes, authorization);
    if (renewed === undefined) throw await this.#denied(request.what, answer, said);
    const second = await this.send(url, withAuthorization(request, renewed));
    if (second.status !== 401) return second;
    await this.discard(second);
    authorizer.learn(parseChallenges(second.headers['www-authenticate'] ?? ''));
    throw await this.#denied(request.what, second, said);
  }

  #denied(what: string, { headers: { date } }: Answer, said: string | undefined): Promise<Error> {
    const { authorizer, secrets } = this.#context;
    return authorizer.refuse(what, { date, said: said === undefined ? undefined : secrets.mask(said) });
  }

  async #accept(answer: Answer, { what, method }: RegistryRequest, accept: readonly number[]): Promise<Answer> {
    const { status, headers } = answer;
    if (accept.includes(status)) return answer;
    const text = method === 'HEAD' ? '' : (await this.readAll(answer, what)).toString();
    throw this.refusal(what, { status, headers }, text);
  }

  /** The failure that an unwanted answer is, as its status says. */
  refusal(what: string, { status, headers }: Pick<Answer, 'status' | 'headers'>, text: string): Error {
    return refusalFailure(this.place(what), { status, headers, text: this.#context.secrets.mask(text) });
  }

  #open(): Promise<URL> {
    this.#base ??= this.retry(() => this.#probe()).catch((thrown: unknown) => {
      this.#base = undefined;
      throw thrown;
    });
    return this.#base;
  }

  /** Finds the scheme, and what the registry wants to know of the caller ("end-1" of the distribution-spec). */
  async #probe(): Promise<URL> {
    const { address, mayBePlain } = this.#context;
    const secure = new URL(`https://${address.host}/`);
    try {
      await this.#greet(secure);
      return secure;
    } catch (thrown) {
      if (!mayBePlain || !isWithoutTls(thrown)) throw thrown;
    }
    const plain = new URL(`http://${address.host}/`);
    await this.#greet(plain);
    return plain;
  }

  async #greet(base: URL): Promise<void> {
    const what = 'answer as a registry does (GET /v2/)';
    const answer = await this.send(new URL('/v2/', base), { what, method: 'GET' });
    if (answer.status === 401)
      this.#context.authorizer.learn(parseChallenges(answer.headers['www-authenticate'] ?? ''));
    if ([200, 401, 403].includes(answer.status)) await this.discard(answer);
    else await this.#accept(answer, { what, method: 'GET', at: base, scopes: [] }, []);
  }
}

/** Tells a body that could not be made from one that could not be sent. */
class Source {
  hasFailed = false;

  async *watch(chunks: ReturnType<RequestBody['open']>): AsyncGenerator<Buffer> {
    try {
      yield* chunks;
    } catch (thrown) {
      this.hasFailed = true;
      throw thrown;
    }
  }
}

function withAuthorization<R extends { headers?: Record<string, string> }>(request: R, authorization?: string): R {
  return authorization === undefined
    ? request
    : { ...request, headers: { ...request.headers, Authorization: authorization } };
}

/** Another side that speaks no TLS, closes at the greeting or listens at no port. */
function isWithoutTls(thrown: unknown): boolean {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  return (
    isNotTls(cause) ||
    ['ECONNREFUSED', 'ECONNRESET', 'HPE_INVALID_CONSTANT'].includes(code) ||
    (thrown instanceof PassingFailure && messageOf(cause).includes('socket'))
  );
}

/** Where to go on: 307 and 308 with the same method, the older ones for reading alone; never from TLS into the open. */
function redirectOf({ status, headers, url }: Answer, method: RegistryRequest['method']): URL | undefined {
  const isReading = method === 'GET' || method === 'HEAD';
  const follows = [307, 308].includes(status) || (isReading && [301, 302, 303].includes(status));
  if (!follows || headers.location === undefined || !URL.canParse(headers.location, url.href)) return undefined;
  const next = new URL(headers.location, url);
  if (next.protocol === 'http:' && url.protocol === 'https:') return undefined;
  return ['http:', 'https:'].includes(next.protocol) ? next : undefined;
}
