import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { messageOf } from '../../errors.ts';
import { Stalled } from '../../oci/stream/pace.ts';
import type { Dialer } from '../../registry/http/dial.ts';
import { exchange, readBody } from '../../registry/http/exchange.ts';
import { isBrokenConnection } from '../../registry/http/failures.ts';
import { formatUrl } from '../../registry/http/redact.ts';
import type { RegistrySettings } from '../../registry/http/settings.ts';

/** The SDK's carrier of requests, as far as it calls it. */
export type S3Handler = NonNullable<S3ClientConfig['requestHandler']> & { metadata: { handlerProtocol: string } };

/** Request as the SDK has signed it. */
interface SignedRequest {
  protocol: string;
  hostname: string;
  port?: number;
  method: string;
  path: string;
  query?: Record<string, string | string[] | null>;
  headers: Record<string, string>;
  body?: unknown;
}

export interface S3HandlerContext {
  dialer: Dialer;
  settings: RegistrySettings;
  signal: AbortSignal;
  trace: (line: string) => void;
}

/** Makes a carrier over gbuild's connections: proxies, roots and time limits are those of registries. */
export function makeS3Handler(context: S3HandlerContext): S3Handler {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: (request: SignedRequest) => handle(request, context),
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
  };
}

async function handle(
  request: SignedRequest,
  { dialer, settings, signal, trace }: S3HandlerContext,
): Promise<{ response: { statusCode: number; headers: Record<string, string>; body: Readable } }> {
  const { method, headers } = request;
  const url = urlOf(request);
  // A stop lets only the end of a multipart upload through: its parts would lie there, unseen and paid for.
  const own = isAbort(method, url) ? AbortSignal.timeout(settings.stallSeconds * 1000) : signal;
  if (own.aborted) throw stopped(own);
  const line = `${method} ${formatUrl(url)}`;
  const began = performance.now();
  try {
    const body = bodyOf(request.body);
    const answer = await exchange(dialer.open(url, { method, headers, signal: own }), body, settings);
    trace(`${line} ${answer.statusCode} ${Math.round(performance.now() - began)} ms`);
    const stream = Readable.from(readBody(answer, settings));
    return { response: { statusCode: answer.statusCode ?? 0, headers: plain(answer.headers), body: stream } };
  } catch (thrown) {
    if (own.aborted) throw stopped(own);
    trace(`${line} failed: ${messageOf(thrown)}`);
    throw retryable(thrown);
  }
}

function isAbort(method: string, url: URL): boolean {
  return method === 'DELETE' && url.searchParams.has('uploadId');
}

/** The SDK repeats no request with such an error. */
function stopped(signal: AbortSignal): Error {
  return Object.assign(new Error('stopped', { cause: signal.reason }), { name: 'AbortError' });
}

/** The SDK repeats a request by the code of its error. */
function retryable(thrown: unknown): unknown {
  if (!(thrown instanceof Stalled) && !isBrokenConnection(thrown)) return thrown;
  // A stalled request keeps its own words.
  const error = thrown instanceof Stalled ? thrown : new Error(messageOf(thrown));
  return Object.assign(error, { name: 'TimeoutError', code: 'ECONNRESET' });
}

function urlOf({ protocol, hostname, port, path, query = {} }: SignedRequest): URL {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value]
      .flat()
      .map((each) =>
        each === null ? encodeURIComponent(name) : `${encodeURIComponent(name)}=${encodeURIComponent(each)}`,
      ),
  );
  const scheme = protocol.endsWith(':') ? protocol : `${protocol}:`;
  const authority = port === undefined ? hostname : `${hostname}:${port}`;
  return new URL(`${scheme}//${authority}${path}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`);
}

function bodyOf(body: unknown): { chunks: Iterable<Buffer> | AsyncIterable<Buffer> } | undefined {
  if (body === undefined || body === null || body === '') return undefined;
  if (typeof body === 'string') return { chunks: [Buffer.from(body)] };
  if (ArrayBuffer.isView(body)) return { chunks: [Buffer.from(body.buffer, body.byteOffset, body.byteLength)] };
  return { chunks: body as AsyncIterable<Buffer> };
}

function plain(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]));
}
