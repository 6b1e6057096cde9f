import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { messageOf } from '../../errors.ts';
import { Stalled } from '../../oci/stream/pace.ts';
import type { RegistryAddress } from './address.ts';
import type { Dialer } from './dial.ts';
import { exchange, readBody } from './exchange.ts';
import { isNotTls, networkFailure, type Place } from './failures.ts';
import { formatUrl, type Redactor } from './redact.ts';
import { parseWarnings, refusalFailure } from './refusals.ts';
import { Backoff } from './retry.ts';
import type { RegistrySettings } from './settings.ts';

/** Request as it is sent. `what` completes "the registry HOST refused to ...". */
export interface RegistryHttpRequest {
  what: string;
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  headers?: Record<string, string>;
  body?: RequestBody;
  /** Bytes of other requests that the registry may hash or move before it answers this one. */
  work?: number;
}

/** Body that can be made again for another try. */
export interface RequestBody {
  /** Undefined for a body in chunks (RFC 9112, 7.1). */
  size: number | undefined;
  open(): Iterable<Buffer> | AsyncIterable<Buffer>;
  onBytes?(count: number): void;
}

/** Answer with an unread body. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Address that answered, after redirects. */
  url: URL;
  stream: IncomingMessage;
}

export interface RegistryHttpContext {
  address: RegistryAddress;
  settings: RegistrySettings;
  signal: AbortSignal;
  dialer: Dialer;
  redactor: Redactor;
  trace: (line: string) => void;
  /** Called with a registry's message to its users ("Warnings" of the distribution-spec), once for each. */
  warn: (text: string) => void;
}

const mostDiscarded = 64 * 1024;
/** Number of stalled requests in a row after which a registry gets a short chance. */
const mostStalls = 3;
/** Size in bytes of a manifest, a token or an error; registries accept manifests of up to 4 MiB. */
const mostText = 8 * 1024 ** 2;

/** Requests to one registry and to the hosts that it names: sending, reading, retrying, and naming failures. */
export class RegistryHttp {
  readonly registry: string;
  readonly #context: RegistryHttpContext;
  readonly #warned = new Set<string>();
  /** Number of stalled requests since the last complete answer. */
  #stalls = 0;

  constructor(context: RegistryHttpContext) {
    this.registry = context.address.name;
    this.#context = context;
  }

  /** Whether the caller wants to stop: no request is sent any more. */
  get isStopping(): boolean {
    return this.#context.signal.aborted;
  }

  backoff(): Backoff {
    return new Backoff(this.#context.settings, this.#context.signal, () => this.#isGivenUp);
  }

  /** Whether so many requests stalled that the next gets little time. */
  get #isGivenUp(): boolean {
    return this.#stalls >= mostStalls;
  }

  get #timeouts(): Pick<RegistrySettings, 'stallSeconds' | 'connectSeconds'> {
    const { stallSeconds, connectSeconds } = this.#context.settings;
    return { connectSeconds, stallSeconds: this.#isGivenUp ? stallSeconds / 10 : stallSeconds };
  }

  /** Repeats an action until it succeeds or fails permanently. */
  async retry<T>(act: () => Promise<T>): Promise<T> {
    const backoff = this.backoff();
    for (;;) {
      try {
        return await act();
      } catch (thrown) {
        await backoff.pause(thrown);
      }
    }
  }

  /** Sends one request and returns the answer, whatever its status. */
  async send(url: URL, { what, method, headers, body, work }: RegistryHttpRequest): Promise<Answer> {
    const { dialer, signal, trace, redactor } = this.#context;
    signal.throwIfAborted();
    const began = performance.now();
    const line = redactor.mask(`${method} ${formatUrl(url)}`);
    const source = new Source();
    try {
      const all = { 'User-Agent': 'gbuild', ...lengthOf(method, body), ...headers };
      const toSend = body && { chunks: source.watch(body.open()), onBytes: body.onBytes?.bind(body) };
      const stream = await exchange(dialer.open(url, { method, headers: all, signal }), toSend, this.#timeouts, work);
      trace(`${line} ${stream.statusCode} ${Math.round(performance.now() - began)} ms`);
      this.#passWarnings(stream.headers);
      return { status: stream.statusCode ?? 0, headers: stream.headers, url, stream };
    } catch (thrown) {
      trace(`${line} failed: ${isNotTls(thrown) ? 'no TLS is spoken there' : redactor.mask(messageOf(thrown))}`);
      throw source.hasFailed ? thrown : this.#failure(what, url, thrown);
    }
  }

  /** Yields the body; a connection that breaks or stalls is a TransientError. */
  async *stream(answer: Answer, what: string): AsyncGenerator<Buffer> {
    try {
      yield* readBody(answer.stream, this.#timeouts);
      this.#stalls = 0;
    } catch (thrown) {
      throw this.#failure(what, answer.url, thrown);
    }
  }

  /** Reads a small body whole. */
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

  /** Ends an unread answer, so that the connection can be reused where that is cheap. */
  async discard({ stream }: Answer): Promise<void> {
    if (Number(stream.headers['content-length'] ?? 0) > mostDiscarded) stream.destroy();
    try {
      for await (const _chunk of readBody(stream, this.#timeouts));
      this.#stalls = 0;
    } catch (thrown) {
      // The next request uses another connection.
      if (thrown instanceof Stalled) this.#stalls += 1;
    }
  }

  place(what: string): Place {
    return { registry: this.registry, what };
  }

  /** Returns the failure for an unwanted answer, by its status. */
  refusal(what: string, { status, headers }: Pick<Answer, 'status' | 'headers'>, text: string): Error {
    return refusalFailure(this.place(what), { status, headers, text: this.#context.redactor.mask(text) });
  }

  #passWarnings(headers: IncomingHttpHeaders): void {
    const { redactor, warn } = this.#context;
    for (const text of parseWarnings(headers)) {
      if (this.#warned.has(text)) continue;
      this.#warned.add(text);
      warn(`the registry ${this.registry} says: ${redactor.mask(text)}`);
    }
  }

  #failure(what: string, url: URL, thrown: unknown): unknown {
    const { signal, address } = this.#context;
    if (thrown instanceof Stalled) this.#stalls += 1;
    const isOwn = url.host === new URL(`${url.protocol}//${address.host}`).host;
    const place = { ...this.place(what), ...(!isOwn && { other: url.host }) };
    return signal.aborted ? signal.reason : networkFailure(place, thrown);
  }
}

/** Returns the length. Without it a request that may have a body would be sent in chunks. */
function lengthOf(method: RegistryHttpRequest['method'], body: RequestBody | undefined): Record<string, string> {
  const isWithout = body === undefined ? method === 'GET' || method === 'HEAD' : body.size === undefined;
  return isWithout ? {} : { 'Content-Length': String(body?.size ?? 0) };
}

/** Distinguishes a body that could not be made from one that could not be sent. */
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
