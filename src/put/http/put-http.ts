import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { GbuildError, messageOf } from '../../errors.ts';
import { Stalled } from '../../oci/stream/pace.ts';
import type { Dialer } from '../../registry/http/dial.ts';
import { exchange, readBody } from '../../registry/http/exchange.ts';
import { isBrokenConnection } from '../../registry/http/failures.ts';
import { formatUrl, type Redactor } from '../../registry/http/redact.ts';
import { Backoff, isTransientStatus, parseRetryAfter, TransientError } from '../../registry/http/retry.ts';
import type { RegistrySettings } from '../../registry/http/settings.ts';
import { explainFailure, explainStatus } from './put-http-failures.ts';

export interface PutHttpRequest {
  method: 'HEAD' | 'GET' | 'PUT';
  headers?: Record<string, string>;
  /** Makes the body, for each try. */
  open?: () => Iterable<Buffer>;
}

export interface PutHttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  stream: IncomingMessage;
}

export interface PutHttpContext {
  dialer: Dialer;
  settings: RegistrySettings;
  signal: AbortSignal;
  redactor: Redactor;
  trace: (line: string) => void;
}

/** Number of bytes of an answer that are read for the server's own words. */
const mostText = 4096;

/** Requests to one server: sends, repeats what may pass, and names failures. Redirects are answers like any other. */
export class PutHttp {
  readonly #context: PutHttpContext;

  constructor(context: PutHttpContext) {
    this.#context = context;
  }

  /** Repeats an action until it succeeds or fails permanently. */
  async retry<T>(act: () => Promise<T>): Promise<T> {
    const backoff = new Backoff(this.#context.settings, this.#context.signal, () => false);
    for (;;) {
      try {
        return await act();
      } catch (thrown) {
        await backoff.pause(thrown);
      }
    }
  }

  /** Sends one request. Statuses that may pass are thrown as a TransientError. */
  async send(url: URL, { method, headers = {}, open }: PutHttpRequest): Promise<PutHttpAnswer> {
    const { dialer, settings, signal, trace } = this.#context;
    signal.throwIfAborted();
    const line = `${method} ${formatUrl(url)}`;
    let source: unknown;
    const body = open && { chunks: watch(open(), (thrown) => (source = thrown)) };
    const began = performance.now();
    try {
      const all = { 'User-Agent': 'gbuild', ...headers };
      const stream = await exchange(dialer.open(withoutUser(url), { method, headers: all, signal }), body, settings);
      trace(`${line} ${stream.statusCode} ${Math.round(performance.now() - began)} ms`);
      const answer = { status: stream.statusCode ?? 0, headers: stream.headers, stream };
      if (isTransientStatus(answer.status)) throw await this.#passing(url, method, answer);
      return answer;
    } catch (thrown) {
      if (source !== undefined) throw source;
      if (thrown instanceof TransientError) throw thrown;
      trace(`${line} failed: ${this.#context.redactor.mask(messageOf(thrown))}`);
      throw this.#failure(url, method, thrown);
    }
  }

  /** Yields the body of an answer. */
  async *stream(url: URL, answer: PutHttpAnswer): AsyncGenerator<Buffer> {
    try {
      yield* readBody(answer.stream, this.#context.settings);
    } catch (thrown) {
      throw this.#failure(url, 'GET', thrown);
    }
  }

  /** Returns the permanent failure for a status. */
  async refusal(url: URL, method: string, answer: PutHttpAnswer): Promise<GbuildError> {
    return explainStatus({ url, method }, answer, await this.#readText(answer), 1);
  }

  async #passing(url: URL, method: string, answer: PutHttpAnswer): Promise<TransientError> {
    const text = await this.#readText(answer);
    return new TransientError((tries) => explainStatus({ url, method }, answer, text, tries), {
      pause: parseRetryAfter(answer.headers),
    });
  }

  /** Reads the start of an answer's text, as far as it comes. */
  async #readText({ stream }: PutHttpAnswer): Promise<string> {
    let text = '';
    try {
      for await (const chunk of readBody(stream, this.#context.settings)) {
        text += chunk.toString();
        if (text.length >= mostText) break;
      }
    } catch {
      // The status says enough.
    }
    return this.#context.redactor.mask(text.slice(0, mostText));
  }

  #failure(url: URL, method: string, thrown: unknown): unknown {
    const { signal, redactor } = this.#context;
    if (signal.aborted) return signal.reason;
    if (thrown instanceof GbuildError) return thrown;
    const explain = (tries: number) => explainFailure({ url, method }, thrown, redactor, tries);
    return thrown instanceof Stalled || isBrokenConnection(thrown)
      ? new TransientError(explain, { cause: thrown })
      : explain(1);
  }
}

/** Node would send a user in the address as a header of its own. */
function withoutUser(url: URL): URL {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  plain.hash = '';
  return plain;
}

/** Distinguishes a body that could not be made from one that could not be sent. */
function* watch(chunks: Iterable<Buffer>, note: (thrown: unknown) => void): Generator<Buffer> {
  try {
    yield* chunks;
  } catch (thrown) {
    note(thrown);
    throw thrown;
  }
}
