import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, type HeadObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { GbuildError } from '../../errors.ts';
import { Redactor } from '../../registry/http/redact.ts';
import { openDialer, settingsOf } from '../depot/connect.ts';
import type { Depot, FileThere, FileToPut, PutContext } from '../depot/depot.ts';
import { type Destination, formatDestination } from '../depot/destination.ts';
import { compareStored, hashOf, readAsDescribed } from '../depot/read-file.ts';
import { findS3Credentials } from './s3-credentials.ts';
import { explainS3, knowsNoCondition, statusOf } from './s3-failures.ts';
import { makeS3Handler } from './s3-handler.ts';
import { readS3Settings, type S3Settings } from './s3-settings.ts';

/** Metadata of an object that holds its sha256: S3's own checksum of a large object is one of its parts. */
const sha256Metadata = 'gbuild-sha256';

const leastPart = 8 * 1024 ** 2;
/** Number of parts that S3 takes; a few are left for rounding. */
const mostParts = 9_900;
/** Number of parts in memory and on their way. */
const partsAtOnce = 4;
/** Number of uploads that another one may end. */
const mostConflicts = 3;

/** Opens a depot for s3:// addresses. */
export async function openS3Depot(destination: Destination, context: PutContext): Promise<Depot> {
  const settings = readS3Settings(context.host);
  const redactor = new Redactor();
  const dialer = openDialer(context);
  const handler = makeS3Handler({ ...context, dialer, settings: settingsOf(context) });
  const credentials = findS3Credentials(context.host, settings, handler, redactor);
  try {
    // Asked for at once: the SDK would ask again for every try of a request.
    await credentials();
  } catch (thrown) {
    dialer.close();
    throw explainS3(thrown, destination, 'write', settings, redactor);
  }
  const client = new S3Client({
    region: settings.region,
    ...(settings.endpoint !== undefined && { endpoint: settings.endpoint, forcePathStyle: settings.isPathStyle }),
    ...(settings.profile !== undefined && { profile: settings.profile }),
    credentials,
    requestHandler: handler,
    followRegionRedirects: settings.endpoint === undefined,
    maxAttempts: settingsOf(context).attempts,
    expectContinueHeader: false,
  });
  const close = () => {
    client.destroy();
    dialer.close();
  };
  return new S3Depot({ client, settings, redactor, signal: context.signal, close });
}

interface S3DepotParts {
  client: S3Client;
  settings: S3Settings;
  redactor: Redactor;
  signal: AbortSignal;
  close: () => void;
}

/** Objects of S3. A caller who may not list a bucket gets 403 for a missing key: then the conditional write tells. */
class S3Depot implements Depot {
  readonly #parts: S3DepotParts;
  /** Keys that could not be looked at. */
  readonly #hidden = new Set<string>();
  /** Keys that this depot wrote, where the server compared the checksum. */
  readonly #written = new Set<string>();

  constructor(parts: S3DepotParts) {
    this.#parts = parts;
  }

  close(): void {
    this.#parts.close();
  }

  async look(at: Destination, file: FileToPut): Promise<FileThere | undefined> {
    const place = placeOf(at);
    const { client } = this.#parts;
    try {
      const head = await client.send(new HeadObjectCommand(place));
      this.#hidden.delete(place.Key);
      return await this.#compare(place, head, file);
    } catch (thrown) {
      if (statusOf(thrown) === 404) return undefined;
      if (statusOf(thrown) !== 403) throw this.#explain(thrown, at, 'read');
      if (this.#written.has(place.Key)) return { size: file.size, sha256: file.sha256, isSame: true };
      this.#hidden.add(place.Key);
      return undefined;
    }
  }

  async write(at: Destination, file: FileToPut): Promise<boolean> {
    const place = placeOf(at);
    let hasWritten: boolean | undefined;
    for (let tries = 1; hasWritten === undefined; tries += 1) hasWritten = await this.#tryWrite(at, file, tries);
    if (hasWritten) this.#written.add(place.Key);
    return hasWritten;
  }

  /** Returns whether it wrote; undefined where another upload was in the way, and left nothing. */
  async #tryWrite(at: Destination, file: FileToPut, tries: number): Promise<boolean | undefined> {
    const isHidden = this.#hidden.has(placeOf(at).Key);
    try {
      await this.#upload(placeOf(at), file, { IfNoneMatch: '*' });
      return true;
    } catch (thrown) {
      const status = statusOf(thrown);
      if (status === 412 && isHidden) throw unreadable(at);
      if (status === 412) return false;
      // Two uploads of the key end at the same moment.
      if (status === 409 && !isHidden && (await this.look(at, file)) !== undefined) return false;
      if (status === 409 && tries < mostConflicts) return undefined;
      if (!knowsNoCondition(thrown) || isHidden) throw this.#explain(thrown, at, 'write');
    }
    await this.#uploadUnconditionally(at, file);
    return true;
  }

  async #uploadUnconditionally(at: Destination, file: FileToPut): Promise<void> {
    try {
      await this.#upload(placeOf(at), file, {});
    } catch (thrown) {
      throw this.#explain(thrown, at, 'write');
    }
  }

  async #upload(place: S3Place, file: FileToPut, condition: { IfNoneMatch?: string }): Promise<void> {
    const partSize = Math.max(leastPart, Math.ceil(file.size / mostParts));
    const isOnePart = file.size < partSize;
    const sha256 = Buffer.from(file.sha256, 'hex').toString('base64');
    let source: unknown;
    const body = Readable.from(watch(readAsDescribed(file), this.#parts.signal, (thrown) => (source = thrown)));
    const upload = new Upload({
      client: this.#parts.client,
      partSize,
      queueSize: partsAtOnce,
      params: {
        ...place,
        ...condition,
        Body: body,
        ContentType: 'application/octet-stream',
        Metadata: { [sha256Metadata]: file.sha256 },
        // S3 compares it, and keeps it. For parts the SDK sends a checksum each.
        ...(isOnePart && { ChecksumSHA256: sha256 }),
      },
    });
    try {
      await upload.done();
    } catch (thrown) {
      throw source ?? thrown;
    } finally {
      body.destroy();
    }
  }

  /** Compares with what is cheapest: gbuild's own note, S3's checksum, its MD5, and at last the bytes. */
  async #compare(place: S3Place, head: HeadObjectCommandOutput, file: FileToPut): Promise<FileThere> {
    const { client } = this.#parts;
    const size = head.ContentLength;
    const noted = head.Metadata?.[sha256Metadata];
    if (noted !== undefined) return { size, sha256: noted, isSame: noted === file.sha256 && size === file.size };
    const { ChecksumSHA256: checksum } = await client.send(
      new HeadObjectCommand({ ...place, ChecksumMode: 'ENABLED' }),
    );
    const sha256 = Buffer.from(checksum ?? '', 'base64').toString('hex');
    if (sha256.length === 64 && !checksum?.includes('-')) return { size, sha256, isSame: sha256 === file.sha256 };
    if (size === file.size && head.ETag === `"${hashOf(file, 'md5')}"`)
      return { size, sha256: file.sha256, isSame: true };
    const { Body } = await client.send(new GetObjectCommand(place));
    return await compareStored(Body as AsyncIterable<Buffer>, file);
  }

  #explain(thrown: unknown, at: Destination, what: 'read' | 'write'): unknown {
    const { signal, settings, redactor } = this.#parts;
    return signal.aborted ? signal.reason : explainS3(thrown, at, what, settings, redactor);
  }
}

/** Address of an object in the SDK's words. */
interface S3Place {
  Bucket: string;
  Key: string;
}

function placeOf(at: Destination): S3Place {
  if (at.kind !== 's3') throw new GbuildError('bug', `${formatDestination(at)} is not in S3`);
  return { Bucket: at.bucket, Key: at.key };
}

function unreadable(at: Destination): GbuildError {
  const url = formatDestination(at);
  return new GbuildError(
    'output-refused',
    `${url} exists, and you may not read it to compare; what is there is never replaced`,
    {
      suggestions: [`let the caller do s3:GetObject on ${url}`, 'put it under another version or key'],
      facts: { url },
    },
  );
}

/** Distinguishes a file that could not be read from one that could not be sent, and ends when asked to stop. */
function* watch(chunks: Iterable<Buffer>, signal: AbortSignal, note: (thrown: unknown) => void): Generator<Buffer> {
  try {
    for (const chunk of chunks) {
      signal.throwIfAborted();
      yield chunk;
    }
  } catch (thrown) {
    note(thrown);
    throw thrown;
  }
}
