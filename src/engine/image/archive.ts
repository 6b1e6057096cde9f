import { Readable } from 'node:stream';
import { GbuildError } from '../../errors.ts';
import type { Stop } from '../../host.ts';
import { readField, readNumber, readText } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import { keepWatch } from '../client/heartbeat.ts';
import { errorIn, readMessages } from '../client/progress-stream.ts';
import { workOn } from '../client/request-limit.ts';
import { imageMissing, inspectImage, pullFailure, splitTag } from './images.ts';

/** Progress of a pull; one event for each layer and change. */
export interface PullProgress {
  layer: string;
  status: string;
  /** Size in bytes. */
  current?: number;
  total?: number;
}

/**
 * Pulls an image (POST /images/create). Ends when the engine has it.
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
    // The engine may wait for a registry before it answers.
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

/** Number of bytes that an engine has pulled of an image: it may be silent while it unpacks them. */
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
 * Loads a tar given in chunks (POST /images/load). A failure of the chunks is thrown as it is (a file that changed
 * meanwhile); the engine's refusal of the archive is `engine-failed`.
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

/** Streams a `docker save` archive (GET /images/{ref}/get). The download ends when the reader stops. */
export async function streamImage(client: EngineClient, reference: string): Promise<AsyncGenerator<Buffer>> {
  const what = `save the image ${reference}`;
  const found = await inspectImage(client, reference);
  if (found === undefined) throw imageMissing(client, reference);
  // Some engines assemble the whole archive before they send the first byte.
  const within = client.requestTimeout + workOn(found.size);
  const answer = await client.send({ what, method: 'GET', path: `/images/${reference}/get`, within });
  if (answer.statusCode === 404) {
    answer.resume();
    throw imageMissing(client, reference);
  }
  if (answer.statusCode !== 200) await client.refuse(answer, what);
  return client.readChunks(answer, what, { seconds: within / 1000, leastBytes: client.pace.leastBytes });
}

/** Request body whose own failure takes precedence over the broken connection that follows from it. */
export interface ArchiveUpload {
  body: Readable;
  throwIfFailed(): void;
  /** Milliseconds of silence that this body allows the engine; `least` is what any request allows. */
  silence(least: number): number;
  /** Returns the answer, or throws the failure of the body. */
  orThrow<T>(answer: Promise<T>): Promise<T>;
}

/** Makes a body of chunks; at most two chunks are held in memory. */
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
