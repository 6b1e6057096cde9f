import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { GbuildError } from '../errors.ts';
import type { Stop } from '../host.ts';
import { keepWatch } from './heartbeat.ts';
import { imageMissing, pullFailure, splitTag } from './images.ts';
import { readField, readNumber, readText } from './json.ts';
import { errorIn, readMessages } from './messages.ts';
import type { Wire } from './wire.ts';

/** How far a pull is; one event a layer and change. */
export interface PullProgress {
  layer: string;
  status: string;
  /** Bytes. */
  current?: number;
  total?: number;
}

/**
 * POST /images/create. Ends when the engine has the image.
 *
 * @throws GbuildError `image-missing` (no such image), `network-failed` (refused, or the registry was not reached)
 */
export async function pullImage(
  wire: Wire,
  reference: string,
  options: { onProgress?: (progress: PullProgress) => void; stop: Stop },
): Promise<void> {
  const { repo, tag = 'latest' } = splitTag(reference);
  const what = `pull ${reference}`;
  await keepWatch(wire, what, options.stop.ask, async (signal) => {
    const request = { what, method: 'POST', path: '/images/create', query: { fromImage: repo, tag }, signal } as const;
    const answer = await wire.send(request);
    if (answer.statusCode !== 200)
      throw pullFailure(wire, reference, answer.statusCode ?? 0, await wire.readText(answer, what));
    for await (const message of readMessages(wire, answer, what)) {
      const error = errorIn(message);
      if (error !== undefined) throw pullFailure(wire, reference, error.status, error.message);
      options.onProgress?.(parsePullProgress(message));
    }
  });
}

function parsePullProgress(message: unknown): PullProgress {
  const detail = readField(message, 'progressDetail');
  const current = readNumber(detail, 'current');
  const total = readNumber(detail, 'total');
  return {
    layer: readText(message, 'id') ?? '',
    status: readText(message, 'status') ?? '',
    ...(current !== undefined && { current }),
    ...(total !== undefined && { total }),
  };
}

/**
 * POST /images/load with a tar given in chunks. What the chunks throw is thrown (a file that changed meanwhile), what
 * the engine says about the archive is `engine-failed`.
 */
export async function loadArchive(
  wire: Wire,
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
  options: { stop: Stop },
): Promise<void> {
  const what = 'load an image';
  await keepWatch(wire, what, options.stop.ask, async (signal) => {
    const upload = openUpload(chunks);
    const answer = await upload.orThrow(
      wire.send({ what, method: 'POST', path: '/images/load', query: { quiet: true }, body: upload.body, signal }),
    );
    if (answer.statusCode !== 200) await wire.refuse(answer, what);
    for await (const message of readMessages(wire, answer, what)) {
      const error = errorIn(message);
      if (error !== undefined) throw loadFailure(wire, error.message);
    }
    upload.throwIfFailed();
  });
}

function loadFailure(wire: Wire, message: string): GbuildError {
  return new GbuildError('engine-failed', `the engine at ${wire.endpoint.url} could not load the image: ${message}`, {
    suggestions: ['gbuild doctor   # is its disk full?'],
    facts: { endpoint: wire.endpoint.url },
  });
}

/** GET /images/{ref}/get: a `docker save` archive. The reader must read it to its end or destroy it. */
export async function saveImage(wire: Wire, reference: string): Promise<Readable> {
  const what = `save the image ${reference}`;
  const answer: IncomingMessage = await wire.send({ what, method: 'GET', path: `/images/${reference}/get` });
  if (answer.statusCode === 404) {
    answer.resume();
    throw imageMissing(wire, reference);
  }
  if (answer.statusCode !== 200) await wire.refuse(answer, what);
  return answer;
}

/** A request body whose own failure wins over what the broken connection then looks like. */
export interface Upload {
  body: Readable;
  throwIfFailed(): void;
  /** The answer, or what broke the body. */
  orThrow<T>(answer: Promise<T>): Promise<T>;
}

/** Makes a body of chunks; at most two chunks are held in memory at a time. */
export function openUpload(chunks: Iterable<Buffer> | AsyncIterable<Buffer> | Readable): Upload {
  const body = chunks instanceof Readable ? chunks : Readable.from(chunks, { objectMode: true, highWaterMark: 2 });
  let failure: { thrown: unknown } | undefined;
  body.once('error', (thrown) => {
    failure ??= { thrown };
  });
  const throwIfFailed = () => {
    if (failure !== undefined) throw failure.thrown;
  };
  const orThrow = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (thrown) {
      throwIfFailed();
      throw thrown;
    } finally {
      if (failure !== undefined) body.destroy();
    }
  };
  return { body, throwIfFailed, orThrow };
}
