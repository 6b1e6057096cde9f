import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { GbuildError } from '../../errors.ts';
import { type Pace, paceOf, readAtPace, Stalled } from '../../oci/stream/pace.ts';
import { parseJson, readText } from '../answer/json.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { SshConnection } from '../ssh/connection.ts';
import { type EndpointAgent, openAgent } from './agent.ts';
import { connectionFailure, EngineRefusalError, notUnderstood } from './failures.ts';
import { defaultHeartbeat, type Heartbeat } from './heartbeat-times.ts';
import type { EngineRequest } from './request.ts';
import { defaultRequestTimeout, RequestLimit } from './request-limit.ts';
import { negotiateVersion } from './version.ts';

export interface EngineClientOptions {
  /** Called with one line for each request. */
  debug?: (text: string) => void;
  heartbeat?: Heartbeat;
  /** Time limit in milliseconds. */
  requestTimeout?: number;
}

type Dial = (options: object, done: (error: Error | null, answer: unknown) => void) => void;

/** Least time in milliseconds that an engine gets to answer, however often it did not. */
const leastChance = 1_000;

/** Accepts every status: docker-modem would turn the others into errors without the answer. */
const everyStatus: Record<number, boolean> = new Proxy({}, { get: () => true });

/**
 * HTTP connection to one engine: docker-modem's dial over an own agent, so that connections are kept and environment
 * variables have no effect. Nothing is opened or imported before the first request.
 */
export class EngineClient {
  readonly endpoint: Endpoint;
  readonly heartbeat: Heartbeat;
  /** Milliseconds in which an engine must answer, or bytes must move. */
  readonly requestTimeout: number;
  readonly #trace: (text: string) => void;
  readonly #agent: EndpointAgent;
  #dial: Promise<Dial> | undefined;
  #version: Promise<string> | undefined;
  #isPodman = false;
  #answered = false;
  /** Number of requests without an answer since the last answered one. */
  #unanswered = 0;

  constructor(endpoint: Endpoint, options: EngineClientOptions) {
    this.endpoint = endpoint;
    this.heartbeat = options.heartbeat ?? defaultHeartbeat;
    this.requestTimeout = options.requestTimeout ?? defaultRequestTimeout;
    this.#trace = options.debug ?? (() => {});
    this.#agent = openAgent(endpoint);
  }

  /** Connection that carries every request of an endpoint over ssh. */
  get ssh(): SshConnection | undefined {
    return this.#agent.ssh;
  }

  /** API version that both sides speak, like `1.41`; negotiated once. */
  version(): Promise<string> {
    this.#version ??= negotiateVersion(this).catch((thrown: unknown) => {
      this.#version = undefined;
      throw thrown;
    });
    return this.#version;
  }

  /** Whether podman answers: it names its own API in a header in addition to Docker's. */
  async isPodman(): Promise<boolean> {
    await this.version();
    return this.#isPodman;
  }

  /** Sends a request and returns its answer when the headers have come, whatever the status. */
  async send(request: EngineRequest): Promise<IncomingMessage> {
    const version = await this.version();
    return this.sendTo(`/v${version}${request.path}`, request);
  }

  /** Sends a request to a full path: only for `/_ping`, which has no version. */
  async sendTo(path: string, request: EngineRequest): Promise<IncomingMessage> {
    const answer = (await this.#open(path, request, {})) as IncomingMessage;
    this.#isPodman ||= 'libpod-api-version' in answer.headers;
    return answer;
  }

  /** Sends a request and reads the whole answer as JSON; throws for any status that is not accepted. */
  async call(request: EngineRequest, accept: number[] = [200, 201, 204]): Promise<{ status: number; json: unknown }> {
    const answer = await this.send(request);
    const status = answer.statusCode ?? 0;
    const text = await this.readText(answer, request.what);
    if (!accept.includes(status)) throw new EngineRefusalError(this.endpoint, request.what, status, messageIn(text));
    const json = parseJson(text);
    if (json === undefined && text.trim() !== '' && status < 300) throw notUnderstood(this.endpoint, request.what);
    return { status, json };
  }

  /** Takes a connection over (Upgrade: tcp); throws the answer of a refusal. Only a JSON body is sent before. */
  async hijack(request: EngineRequest): Promise<Socket> {
    const version = await this.version();
    const { json } = request;
    // A Buffer leads to a Content-Length. Without it, dial would send a chunked trailer that can end up in stdin.
    const body = json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(json));
    const headers = { 'Content-Type': json === undefined ? 'text/plain' : 'application/json' };
    const answer = await this.#open(`/v${version}${request.path}`, { ...request, body, headers }, { hijack: true });
    if ('statusCode' in answer) {
      const text = await this.readText(answer, request.what);
      throw new EngineRefusalError(this.endpoint, request.what, answer.statusCode ?? 0, messageIn(text), causeIn(text));
    }
    return answer as Socket;
  }

  /** Reads an answer to its end as text, within the milliseconds. Throws when the connection breaks or stalls. */
  async readText(answer: IncomingMessage, what: string, within = this.requestTimeout): Promise<string> {
    const chunks: Buffer[] = [];
    const limit = new RequestLimit(within);
    limit.signal.addEventListener('abort', () => answer.destroy(limit.signal.reason as Error));
    try {
      for await (const chunk of this.readChunks(answer, what)) chunks.push(chunk);
    } finally {
      limit.end();
    }
    return Buffer.concat(chunks).toString('utf8');
  }

  /** Yields an answer's bytes as they come. Throws when the connection breaks or is slower than the pace. */
  async *readChunks(answer: IncomingMessage, what: string, pace?: Pace): AsyncGenerator<Buffer> {
    const chunks = pace === undefined ? answer : readAtPace(answer, pace, (error) => answer.destroy(error));
    try {
      for await (const chunk of chunks) yield chunk as Buffer;
    } catch (thrown) {
      throw this.#failure(what, thrown);
    }
  }

  /** Pace for an answer that moves bytes all the time. */
  get pace(): Pace {
    return paceOf(this.requestTimeout / 1000);
  }

  /** Whether the last requests had no answer. */
  get isSilent(): boolean {
    return this.#unanswered > 0;
  }

  /** Counts a missing sign of life: until the engine answers again, requests get less time. */
  noteSilence(): void {
    this.#unanswered += 1;
  }

  /** Throws the error of an answer with a bad status. */
  async refuse(answer: IncomingMessage, what: string): Promise<never> {
    throw new EngineRefusalError(
      this.endpoint,
      what,
      answer.statusCode ?? 0,
      messageIn(await this.readText(answer, what)),
    );
  }

  /** Closes idle connections; running requests fail. */
  close(): void {
    this.#agent.destroy();
  }

  async #open(path: string, request: EngineRequest, extra: object): Promise<IncomingMessage | Socket> {
    this.#dial ??= importDial(this.#agent);
    const dial = await this.#dial;
    this.#trace(`${request.method} ${path}`);
    request.signal?.throwIfAborted();
    const { method, headers, json } = request;
    const limit = new RequestLimit(this.#allowance(request.within));
    const signal = request.signal === undefined ? limit.signal : AbortSignal.any([request.signal, limit.signal]);
    const body = request.body instanceof Readable ? limit.watch(request.body) : request.body;
    const options = {
      path: `${path}?`,
      method,
      headers: { ...headers },
      options: { _query: cleanQuery(request.query), _body: json ?? {} },
      isStream: true,
      statusCodes: everyStatus,
      ...(body !== undefined && { file: body }),
      abortSignal: signal,
      ...extra,
    };
    return new Promise((resolve, reject) => {
      dial(options, (error, answer) => {
        limit.end();
        if (error === null || error === undefined) {
          this.#answered = true;
          this.#unanswered = 0;
          resolve(answer as IncomingMessage | Socket);
        } else reject(this.#failure(request.what, signal.aborted ? signal.reason : error));
      });
    });
  }

  /** Returns the time limit. After unanswered requests, the next short requests get less time. */
  #allowance(within: number | undefined): number {
    if (within !== undefined || this.#unanswered === 0) return within ?? this.requestTimeout;
    return Math.max(this.requestTimeout / (8 * this.#unanswered), Math.min(this.requestTimeout, leastChance));
  }

  #failure(what: string, thrown: unknown): GbuildError {
    if (thrown instanceof Stalled) this.#unanswered += 1;
    return connectionFailure(this.endpoint, what, thrown, !this.#answered);
  }
}

/** Returns the engine's own sentence in an error answer. */
export function messageIn(text: string): string {
  return (readText(parseJson(text), 'message') ?? text.trim()) || 'it gave no reason';
}

/** Returns podman's name of a failure: a constant text, unlike the message. */
export function causeIn(text: string): string | undefined {
  return readText(parseJson(text), 'cause');
}

function cleanQuery(query: EngineRequest['query'] = {}): Record<string, string | string[]> {
  const pairs = Object.entries(query).filter((pair): pair is [string, string | string[]] => pair[1] !== undefined);
  return Object.fromEntries(pairs.map(([key, value]) => [key, Array.isArray(value) ? value : String(value)]));
}

/**
 * Imports dial. docker-modem's constructor reads DOCKER_HOST and DOCKER_CERT_PATH even with complete options, and
 * throws where they are invalid. They are hidden from it during the (synchronous) construction.
 */
async function importDial(agent: EndpointAgent): Promise<Dial> {
  const { default: Docker } = await import('dockerode');
  const { DOCKER_HOST, ...rest } = process.env;
  const saved = process.env;
  process.env = DOCKER_HOST === undefined ? saved : rest;
  try {
    const settings = { socketPath: 'decided by the agent', protocol: 'http', host: undefined, agent } as const;
    const modem = new Docker(settings).modem as { dial: Dial };
    return (options, done) => modem.dial(options, done);
  } finally {
    process.env = saved;
  }
}
