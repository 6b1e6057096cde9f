import { GbuildError } from '../../errors.ts';
import type { Descriptor } from '../../oci/spec.ts';
import type { RepositoryContext } from '../auth/repository-context.ts';
import type { RequestBody } from '../http/requests.ts';
import { TransientError } from '../http/retry.ts';
import { advance, assertTaken, cancelUpload, closingUrl, namesOther, startUpload, type Upload } from './upload.ts';

/** Blob whose size and digest become known while it is made. */
export interface GrowingBlob {
  /** Makes the blob from its start. */
  open(): AsyncIterable<Buffer>;
  /** Describes the content; undefined until all of it was read. */
  describe(): Descriptor | undefined;
}

/** Result of streaming. `broken`: the blob did not arrive; a session may have a part of it. */
export type Streamed = { descriptor: Descriptor } | { broken: Upload | undefined };

/**
 * Sends a blob while it is made: one PATCH without a length, as docker sends its own, and a PUT with the digest. It is
 * tried once: a second making knows the digest and continues with writeBlob. Throws failures of the making, and those
 * that no other way of sending would avoid.
 */
export async function streamBlob(context: RepositoryContext, blob: GrowingBlob): Promise<Streamed> {
  let upload = await startUpload(context, `take a blob of ${context.path}`);
  try {
    await patch(context, upload, blob, (next) => {
      upload = next;
    });
    const descriptor = blob.describe();
    if (descriptor === undefined) return { broken: upload };
    await close(context, upload, descriptor);
    return { descriptor };
  } catch (thrown) {
    if (thrown instanceof TransientError) return { broken: upload };
    if (!context.connection.isStopping) await cancelUpload(context, upload);
    // A registry that refuses this form of upload may accept another.
    if (thrown instanceof GbuildError && thrown.code === 'registry-failed') return { broken: undefined };
    throw thrown;
  }
}

async function patch(
  { connection, path, scopes }: RepositoryContext,
  upload: Upload,
  { open, describe }: GrowingBlob,
  moved: (upload: Upload) => void,
): Promise<void> {
  const what = `take a blob of ${path}`;
  const headers = { 'Content-Type': 'application/octet-stream' };
  const body: RequestBody = { size: undefined, open };
  const request = { what, method: 'PATCH', at: upload.url, scopes: scopes.push, headers, body } as const;
  const answer = await connection.askOnce(request, [200, 201, 202, 204]);
  await connection.discard(answer);
  moved(advance(connection.place(what), upload, answer, describe()?.size ?? 0));
}

async function close(context: RepositoryContext, upload: Upload, { digest, size }: Descriptor): Promise<void> {
  const { connection, path, scopes } = context;
  const what = `take the blob ${digest} of ${path}`;
  const at = closingUrl(upload, digest);
  const answer = await connection.askOnce(
    { what, method: 'PUT', at, scopes: scopes.push, work: size },
    [200, 201, 204],
  );
  await connection.discard(answer);
  if (namesOther(answer, digest)) throw new TransientError(() => otherBlob(connection.registry, what));
  await assertTaken(context, answer, { digest, size }, what);
}

function otherBlob(registry: string, what: string): GbuildError {
  return new GbuildError('registry-failed', `the registry ${registry}, asked to ${what}, names another one`);
}
