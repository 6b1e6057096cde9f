import { GbuildError } from '../../errors.ts';
import type { Descriptor } from '../../oci/spec.ts';
import type { RepositoryContext } from '../auth/repository-context.ts';
import { hasErrorCode } from '../http/refusals.ts';
import type { Answer } from '../http/requests.ts';
import { leastProgress, TransientError } from '../http/retry.ts';
import { CheckedSource, type OpenBlob } from './checked-source.ts';
import { headBlob } from './read-blob.ts';
import {
  advance,
  assertTaken,
  cancelUpload,
  closingUrl,
  namesOther,
  readUpload,
  startUpload,
  type Upload,
} from './upload.ts';

export type { OpenBlob };

type Blob = Pick<Descriptor, 'digest' | 'size'>;

export interface WriteOptions {
  onBytes?: (count: number) => void;
  /** Session that is already open. */
  upload?: Upload;
  /** Session that already has a part of the blob. */
  broken?: Upload;
}

/** Statuses for an unknown session, or for another offset than expected. */
const sessionOver = [404, 410, 416];

const octets = { 'Content-Type': 'application/octet-stream' };

/**
 * Uploads a blob in one PUT. Where that breaks, the rest is sent in chunks from the registry's offset, or from the
 * start when it has forgotten the session. A blob whose closing answer was lost is found, and not sent again.
 */
export async function writeBlob(
  context: RepositoryContext,
  blob: Blob,
  open: OpenBlob,
  { onBytes = () => {}, upload: opened, broken }: WriteOptions,
): Promise<void> {
  const { connection, path } = context;
  const job = new Job(context, blob, new CheckedSource(blob, open, onBytes));
  const backoff = connection.backoff();
  const goOn = `go on with an upload to ${path}`;
  const begun = broken && (await readUpload(context, broken, goOn));
  let upload = begun ?? opened;
  for (let inOne = begun === undefined, best = 0; ; inOne = false) {
    try {
      upload ??= await startUpload(context, job.what);
      if (inOne) await job.putWhole(upload);
      else
        await job.sendChunks(upload, (next) => {
          upload = next;
          if (next.offset < best + leastProgress) return;
          backoff.restart();
          best = next.offset;
        });
      return;
    } catch (thrown) {
      const isLost = thrown instanceof Damaged || !(thrown instanceof TransientError);
      if (isLost && upload !== undefined && !connection.isStopping) await cancelUpload(context, upload);
      if (isLost) upload = undefined;
      await backoff.pause(thrown);
      if ((await headBlob(context, blob.digest)) === blob.size) return job.source.finish();
      upload = upload && (await readUpload(context, upload, goOn));
    }
  }
}

/** Failure that makes the registry's part of the upload useless. */
class Damaged extends TransientError {}

/** Upload of one blob to one repository. */
class Job {
  readonly what: string;
  readonly source: CheckedSource;
  readonly #context: RepositoryContext;
  readonly #blob: Blob;

  constructor(context: RepositoryContext, blob: Blob, source: CheckedSource) {
    this.what = `take the blob ${blob.digest} of ${context.path}`;
    this.source = source;
    this.#context = context;
    this.#blob = blob;
  }

  async putWhole(upload: Upload): Promise<void> {
    const isDivisible = this.#blob.size > this.#context.settings.chunkBytes;
    await this.#close(upload, 0, isDivisible ? [413] : []);
  }

  /** Sends PATCHes up to the end and closes; `moved` gets each new state of the session. */
  async sendChunks(from: Upload, moved: (upload: Upload) => void): Promise<void> {
    const { connection, settings, scopes } = this.#context;
    const { size } = this.#blob;
    let upload = from;
    moved(upload);
    while (upload.offset < size) {
      const start = upload.offset;
      const end = Math.min(size, start + Math.max(settings.chunkBytes, upload.leastChunk));
      const headers = { ...octets, 'Content-Range': `${start}-${end - 1}` };
      const body = this.#body(start, end);
      const request = { what: this.what, method: 'PATCH', at: upload.url, scopes: scopes.push, headers, body } as const;
      const answer = await connection.askOnce(request, [200, 201, 202, 204, ...sessionOver]);
      if (answer.status >= 400) throw this.#refused(answer, (await connection.readAll(answer, this.what)).toString());
      await connection.discard(answer);
      upload = advance(connection.place(this.what), upload, answer, end);
      if (upload.offset > size || upload.offset <= start) throw this.#lostTrack(upload.offset);
      moved(upload);
    }
    await this.#close(upload, size);
  }

  /** Sends the rest by PUT, with the digest of the whole. */
  async #close(upload: Upload, start: number, passing: readonly number[] = []): Promise<void> {
    const { connection, scopes } = this.#context;
    const { digest, size } = this.#blob;
    const body = this.#body(start, size);
    if (start === size) await this.source.verify();
    const at = closingUrl(upload, digest);
    const request = {
      what: this.what,
      method: 'PUT',
      at,
      scopes: scopes.push,
      headers: octets,
      body,
      work: start,
    } as const;
    const answer = await connection.askOnce(request, [200, 201, 204, 400, ...sessionOver, ...passing]);
    const text = (await connection.readAll(answer, this.what)).toString();
    if (answer.status >= 400) throw this.#refused(answer, text);
    if (namesOther(answer, digest)) throw this.#damaged();
    await assertTaken(this.#context, answer, this.#blob, this.what);
  }

  #body(start: number, end: number) {
    const onBytes = (count: number) => this.source.sent(count);
    return { size: end - start, open: () => this.source.read(start, end), onBytes };
  }

  /**
   * Judges a refusal. Bytes that were right when sent are sent again; so are those that a registry has forgotten or did
   * not accept at once.
   */
  #refused(answer: Answer, text: string): Error {
    if (hasErrorCode(text, 'DIGEST_INVALID') || hasErrorCode(text, 'SIZE_INVALID')) return this.#damaged();
    const failure = this.#context.connection.refusal(this.what, answer, text);
    return answer.status === 400 || !(failure instanceof GbuildError) ? failure : new TransientError(() => failure);
  }

  #damaged(): Damaged {
    const { registry } = this.#context.connection;
    return new Damaged((tries) => {
      const message = `the registry ${registry} got other bytes than were sent, ${tries} times in a row, asked to ${this.what}`;
      return new GbuildError('registry-failed', message, { facts: { registry, digest: this.#blob.digest } });
    });
  }

  #lostTrack(offset: number): TransientError {
    const { registry } = this.#context.connection;
    return new TransientError(() => {
      const message = `the registry ${registry}, asked to ${this.what}, says it has ${offset} bytes, which cannot be`;
      return new GbuildError('registry-failed', message, { facts: { registry, offset } });
    });
  }
}
