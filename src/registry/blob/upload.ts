import { GbuildError } from '../../errors.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/spec.ts';
import type { RepositoryContext } from '../auth/repository-context.ts';
import { notTaken, type Place } from '../http/failures.ts';
import { nowhere, resolveAddress } from '../http/pointed-address.ts';
import type { Answer } from '../http/requests.ts';
import { headBlob } from './read-blob.ts';

/** Upload session: the address for the next bytes, and the number of received bytes. */
export interface Upload {
  url: URL;
  offset: number;
  /** Least size of a chunk that the registry accepts, except for the last. */
  leastChunk: number;
}

export async function startUpload(context: RepositoryContext, what: string): Promise<Upload> {
  const { connection, path, scopes } = context;
  const answer = await connection.ask(
    { what, method: 'POST', at: `${path}/blobs/uploads/`, scopes: scopes.push },
    [201, 202],
  );
  await connection.discard(answer);
  return openSession(connection.place(what), answer);
}

/**
 * Mounts a blob. Returns true when it is mounted, a session where the registry opened one instead, and false where the
 * source may not be read.
 */
export async function mountBlob(
  context: RepositoryContext,
  digest: Digest,
  fromPath: string,
): Promise<Upload | boolean> {
  const { connection, path, scopes } = context;
  const request = {
    what: `mount the blob ${digest} of ${fromPath} into ${path}`,
    method: 'POST',
    at: `${path}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(fromPath)}`,
    scopes: [...scopes.push, `repository:${fromPath}:pull`],
  } as const;
  try {
    const answer = await connection.ask(request, [201, 202, 404, 405]);
    await connection.discard(answer);
    if (answer.status === 201) return names(answer, digest) || (await headBlob(context, digest)) !== undefined;
    return answer.status === 202 && openSession(connection.place(request.what), answer);
  } catch (thrown) {
    if (thrown instanceof GbuildError && thrown.code === 'registry-denied') return false;
    throw thrown;
  }
}

/** Reads how many bytes a session has; `undefined` when the registry has forgotten it. */
export async function readUpload(
  { connection, scopes }: RepositoryContext,
  upload: Upload,
  what: string,
): Promise<Upload | undefined> {
  const answer = await connection.ask(
    { what, method: 'GET', at: upload.url, scopes: scopes.push },
    [200, 202, 204, 400, 404, 405, 410, 416],
  );
  await connection.discard(answer);
  if (answer.status >= 300) return undefined;
  const session = sessionOf(connection.place(what), answer, upload.leastChunk);
  return { ...session, offset: offsetIn(answer) ?? 0 };
}

/** Returns the session after a chunk; it is at the chunk's end where the registry does not report its offset. */
export function advance(place: Place, upload: Upload, answer: Answer, end: number): Upload {
  return { ...sessionOf(place, answer, upload.leastChunk), offset: offsetIn(answer) ?? end };
}

/** Cancels a session, without a wait for the result. */
export async function cancelUpload({ connection, scopes }: RepositoryContext, { url }: Upload): Promise<void> {
  const request = { what: 'drop an upload', method: 'DELETE', at: url, scopes: scopes.push } as const;
  await connection.askOnce(request, [200, 202, 204, 404]).then(
    (answer) => connection.discard(answer),
    () => {},
  );
}

/** Returns the address that closes a session; the registry's own query stays. */
export function closingUrl({ url }: Upload, digest: Digest): URL {
  return new URL(`${url.href}${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`);
}

/** Whether an answer names a blob, or its new address. */
function names({ headers }: Answer, digest: Digest): boolean {
  return headers['docker-content-digest'] === digest || headers.location?.endsWith(`/blobs/${digest}`) === true;
}

/** Whether a closing answer names another digest than that of the sent bytes. */
export function namesOther({ headers }: Answer, digest: Digest): boolean {
  const named = headers['docker-content-digest'];
  return typeof named === 'string' && isDigest(named) && named !== digest;
}

/**
 * Throws where an answer accepts a blob without naming it or its address, and the registry does not have it. An answer
 * that is not the registry's own would leave a release with a hole.
 */
export async function assertTaken(
  context: RepositoryContext,
  answer: Answer,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  what: string,
): Promise<void> {
  if (names(answer, digest)) return;
  const found = await headBlob(context, digest);
  // Some registries do not report the length of a blob.
  if (found === size || found === 0) return;
  throw notTaken(context.connection.place(what), digest);
}

/** Reads a session that the registry has just opened: its address is required. */
function openSession(place: Place, answer: Answer): Upload {
  if (!answer.headers.location) throw nowhere(place);
  return sessionOf(place, answer, 0);
}

/** Reads a session. Later answers may leave out its address: it is then unchanged. */
function sessionOf(place: Place, { headers, url }: Answer, leastChunk: number): Upload {
  const least = Number(headers['oci-chunk-min-length'] ?? leastChunk);
  return {
    url: headers.location ? resolveAddress(place, headers.location, url) : url,
    offset: 0,
    leastChunk: Number.isSafeInteger(least) && least > 0 ? least : leastChunk,
  };
}

/**
 * Reads the offset. `Range: 0-1023` means 1024 bytes; some registries answer `0-0` for none, and a single byte is never
 * uploaded.
 */
function offsetIn({ headers }: Answer): number | undefined {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(String(headers.range ?? ''))?.[1];
  if (last === undefined) return undefined;
  return last === '0' ? 0 : Number(last) + 1;
}
