import { GbuildError } from '../../errors.ts';
import { type Digest, isDigest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/spec.ts';
import type { RepositoryContext } from '../auth/repository-context.ts';
import { notTaken, type Place } from '../http/failures.ts';
import { nowhere, resolveAddress } from '../http/pointed-address.ts';
import type { Answer } from '../http/requests.ts';
import { headBlob } from './read-blob.ts';

/** An upload session: where to send on, and how many bytes are there. */
export interface Upload {
  url: URL;
  offset: number;
  /** The registry takes no smaller chunk, but the last. */
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

/** True when it is mounted; a session where the registry opened one instead; false where it may not be read there. */
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

/** Asks how far a session has come; `undefined` when the registry knows it no more. */
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

/** The session after a chunk; where the registry does not say how far it is, at the chunk's end. */
export function advance(place: Place, upload: Upload, answer: Answer, end: number): Upload {
  return { ...sessionOf(place, answer, upload.leastChunk), offset: offsetIn(answer) ?? end };
}

/** Releases what the registry keeps of a session; nobody waits for it to succeed. */
export async function cancelUpload({ connection, scopes }: RepositoryContext, { url }: Upload): Promise<void> {
  const request = { what: 'drop an upload', method: 'DELETE', at: url, scopes: scopes.push } as const;
  await connection.askOnce(request, [200, 202, 204, 404]).then(
    (answer) => connection.discard(answer),
    () => {},
  );
}

/** The address that ends a session; a registry's own query stays as it is. */
export function closingUrl({ url }: Upload, digest: Digest): URL {
  return new URL(`${url.href}${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`);
}

/** Whether an answer names a blob, or the place that it has now. */
function names({ headers }: Answer, digest: Digest): boolean {
  return headers['docker-content-digest'] === digest || headers.location?.endsWith(`/blobs/${digest}`) === true;
}

/** Whether a closing answer names another digest than was sent. */
export function namesOther({ headers }: Answer, digest: Digest): boolean {
  const named = headers['docker-content-digest'];
  return typeof named === 'string' && isDigest(named) && named !== digest;
}

/**
 * Fails where an answer says that a blob is taken, neither names the blob nor its place, and the registry does not have it: an answer
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
  // Some registries do not say how long a blob is.
  if (found === size || found === 0) return;
  throw notTaken(context.connection.place(what), digest);
}

/** A session that the registry has just opened: it must say where. */
function openSession(place: Place, answer: Answer): Upload {
  if (!answer.headers.location) throw nowhere(place);
  return sessionOf(place, answer, 0);
}

/** Later answers may leave out where the session is: then it stays where it was. */
function sessionOf(place: Place, { headers, url }: Answer, leastChunk: number): Upload {
  const least = Number(headers['oci-chunk-min-length'] ?? leastChunk);
  return {
    url: headers.location ? resolveAddress(place, headers.location, url) : url,
    offset: 0,
    leastChunk: Number.isSafeInteger(least) && least > 0 ? least : leastChunk,
  };
}

/** `Range: 0-1023` is 1024 bytes; `0-0` is what some answer for none, and no one uploads a single byte. */
function offsetIn({ headers }: Answer): number | undefined {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(String(headers.range ?? ''))?.[1];
  if (last === undefined) return undefined;
  return last === '0' ? 0 : Number(last) + 1;
}
