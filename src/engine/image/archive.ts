import { Readable } from 'node:stream';
import { GbuildError } from '../../errors.ts';
import type { Stop } from '../../host.ts';
import { readField, readNumber, readText } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { keepWatch } from '../client/heartbeat.ts';
import { errorIn, readMessages } from '../client/progress-stream.ts';
import { workOn } from '../client/request-limit.ts';
import { imageMissing, inspectImage, pullFailure, splitTag } from './images.ts';

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
export async function pullToEngine(
  client: EngineClient,
  reference: string,
  options: { onProgress?: (progress: PullProgress) => void; stop: Stop },
): Promise<void> {
  const { repo, tag = 'latest' } = splitTag(reference);
  const what = `pull ${reference}`;
  await keepWatch(client, what, options.stop.ask, async (signal) => {
    const query = { fromImage: repo, tag };
    // The engine may itself wait for a registry before it says anything.
    const within = 1.5 * client.requestTimeout;
    const answer = await client.send({ what, method: 'POST', path: '/images/create', query, signal, within });
    if (answer.statusCode !== 200)
      throw pullFailure(client, reference, answer.statusCode ?? 0, await client.readText(answer, what));
    const work = new PulledBytes();
    for await (const message of readMessages(client, answer, what, () => within + work.milliseconds)) {
      work.add(parsePullProgress(message));
      const error = errorIn(message);
      if (error !== undefined) throw pullFailure(client, reference, error.status, error.message);
      options.onProgress?.(parsePullProgress(message));
    }
  });
}

/** Bytes that an engine has pulled of an image: it may be silent for as long as it takes to unpack them. */
class PulledBytes {
  readonly #sizes = new Map<string, number>();

  add({ layer, current = 0 }: PullProgress): void {
    this.#sizes.set(layer, Math.max(current, this.#sizes.get(layer) ?? 0));
  }

  get milliseconds(): number {
    return workOn(sum([...this.#sizes.values()]));
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((whole, each) => whole + each, 0);
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
  client: EngineClient,
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
  options: { stop: Stop },
): Promise<void> {
  const what = 'load an image';
  await keepWatch(client, what, options.stop.ask, async (signal) => {
    const upload = openUpload(chunks);
    const answer = await upload.orThrow(
      client.send({ what, method: 'POST', path: '/images/load', query: { quiet: true }, body: upload.body, signal }),
    );
    if (answer.statusCode !== 200) await client.refuse(answer, what);
    for await (const message of readMessages(client, answer, what, () => upload.silence(client.requestTimeout))) {
      const error = errorIn(message);
      if (error !== undefined) throw loadFailure(client, error.message);
    }
    upload.throwIfFailed();
  });
}

function loadFailure(client: EngineClient, message: string): GbuildError {
  return new GbuildError('engine-failed', `the engine at ${client.endpoint.url} could not load the image: ${message}`, {
    suggestions: ['gbuild doctor   # is its disk full?'],
    facts: { endpoint: client.endpoint.url },
  });
}

/** GET /images/{ref}/get: a `docker save` archive. Whoever stops reading it ends it. */
export async function streamImage(client: EngineClient, reference: string): Promise<AsyncGenerator<Buffer>> {
  const what = `save the image ${reference}`;
  const found = await inspectImage(client, reference);
  if (found === undefined) throw imageMissing(client, reference);
  // Some engines put all of it together before they give the first byte.
  const within = client.requestTimeout + workOn(found.size);
  const answer = await client.send({ what, method: 'GET', path: `/images/${reference}/get`, within });
  if (answer.statusCode === 404) {
    answer.resume();
    throw imageMissing(client, reference);
  }
  if (answer.statusCode !== 200) await client.refuse(answer, what);
  return client.readChunks(answer, what, { seconds: within / 1000, leastBytes: client.pace.leastBytes });
}

/** A request body whose own failure wins over what the broken connection then looks like. */
export interface ArchiveUpload {
  body: Readable;
  throwIfFailed(): void;
  /** Milliseconds for which an engine may be silent that was sent this, of which so many are for any request. */
  silence(least: number): number;
  /** The answer, or what broke the body. */
  orThrow<T>(answer: Promise<T>): Promise<T>;
}

/** Makes a body of chunks; at most two chunks are held in memory at a time. */
export function openUpload(chunks: Iterable<Buffer> | AsyncIterable<Buffer> | Readable): ArchiveUpload {
  let sent = 0;
  const counted = async function* () {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      sent += chunk.length;
      yield chunk;
    }
  };
  const body = Readable.from(counted(), { objectMode: true, highWaterMark: 2 });
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
  return { body, throwIfFailed, orThrow, silence: (least) => least + workOn(sent) };
}
