import { GbuildError } from '../../errors.ts';
import { type Digest, digestOf, isDigest } from '../../oci/digest.ts';
import { parseJsonObject } from '../../oci/json.ts';
import { type Descriptor, mediaTypes } from '../../oci/spec.ts';
import type { Connection } from '../auth/connection.ts';
import type { RepositoryContext } from '../auth/repository-context.ts';
import { notTaken, type Place } from '../http/failures.ts';
import { hasErrorCode } from '../http/refusals.ts';
import type { Answer } from '../http/requests.ts';
import { TransientError } from '../http/retry.ts';

const { index, manifest, dockerManifest, dockerManifestList } = mediaTypes;
const accepted = { Accept: [manifest, index, dockerManifest, dockerManifestList].join(', ') };

/** Sends HEAD; where the registry leaves out one of the three facts, the manifest is read. */
export async function headManifest(context: RepositoryContext, reference: string): Promise<Descriptor | undefined> {
  const { connection } = context;
  const request = { ...describeRead(context, reference), method: 'HEAD' } as const;
  const answer = await connection.ask(request, [200, 404, 405]);
  await connection.discard(answer);
  if (answer.status === 404) return undefined;
  const digest = digestIn(answer);
  const size = Number(answer.headers['content-length'] ?? Number.NaN);
  const mediaType = mediaTypeIn(answer);
  if (answer.status === 405 || digest === undefined || !Number.isSafeInteger(size) || mediaType === undefined)
    return (await readManifest(context, reference))?.descriptor;
  if (isDigest(reference) && digest !== reference)
    throw otherBytes(connection.place(request.what), reference, digest).explain(1);
  return { mediaType, digest, size };
}

/** Reads a manifest. Bytes that do not match the digest or the registry's own header are read again, then refused. */
export async function readManifest(
  context: RepositoryContext,
  reference: string,
): Promise<{ descriptor: Descriptor; bytes: Buffer } | undefined> {
  const { connection } = context;
  const request = describeRead(context, reference);
  return connection.retry(async () => {
    const answer = await connection.askOnce(request, [200, 404]);
    const bytes = await connection.readAll(answer, request.what);
    if (answer.status === 404) return undefined;
    const digest = digestOf(bytes);
    for (const expected of [isDigest(reference) ? reference : undefined, digestIn(answer)])
      if (expected !== undefined && expected !== digest)
        throw otherBytes(connection.place(request.what), expected, digest);
    const mediaType = mediaTypeIn(answer) ?? mediaTypeOf(bytes) ?? manifest;
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  });
}

/** Writes a manifest. `subject` tells whether the registry has recorded the manifest's subject. */
export async function writeManifest(
  context: RepositoryContext,
  reference: string,
  bytes: Buffer,
  mediaType: string,
): Promise<{ digest: Digest; subject: boolean }> {
  const { connection, path, scopes } = context;
  const digest = digestOf(bytes);
  const what = `take the manifest ${path}${isDigest(reference) ? '@' : ':'}${reference}`;
  const request = {
    what,
    method: 'PUT',
    at: `${path}/manifests/${reference}`,
    scopes: scopes.push,
    headers: { 'Content-Type': mediaType },
    body: { size: bytes.length, open: () => [bytes] },
  } as const;
  const answer = await connection.retry(async () => {
    const tried = await connection.askOnce(request, [200, 201, 202, 400, 404]);
    if (tried.status >= 400)
      throw refuseManifest(connection, what, tried, (await connection.readAll(tried, what)).toString());
    await connection.discard(tried);
    // An answer that is not the registry's own would leave a release without its name.
    const isSaid = digestIn(tried) !== undefined || (await headManifest(context, reference))?.digest === digest;
    if (!isSaid) throw notTaken(connection.place(what), digest);
    return tried;
  });
  const answered = digestIn(answer);
  if (answered !== undefined && answered !== digest)
    throw otherBytes(connection.place(what), digest, answered).explain(1);
  return { digest, subject: answer.headers['oci-subject'] !== undefined };
}

/** Judges a refusal: a registry may miss a blob for a moment, while another client sends the same one. */
function refuseManifest(connection: Connection, what: string, answer: Answer, text: string): Error {
  const failure = connection.refusal(what, answer, text);
  const mayPass = ['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN'].some((code) => hasErrorCode(text, code));
  return mayPass && failure instanceof GbuildError ? new TransientError(() => failure) : failure;
}

export async function deleteManifest(
  { connection, path, scopes }: RepositoryContext,
  digest: Digest,
): Promise<boolean> {
  const what = `remove the manifest ${path}@${digest}`;
  const request = { what, method: 'DELETE', at: `${path}/manifests/${digest}`, scopes: scopes.remove } as const;
  const answer = await connection.ask(request, [200, 202, 204, 404]);
  await connection.discard(answer);
  return answer.status !== 404;
}

function describeRead({ path, scopes }: RepositoryContext, reference: string) {
  const what = `give the manifest ${path}${isDigest(reference) ? '@' : ':'}${reference}`;
  return { what, method: 'GET', at: `${path}/manifests/${reference}`, scopes: scopes.pull, headers: accepted } as const;
}

/** Returns the digest; one of another algorithm cannot be checked. */
function digestIn({ headers }: Answer): Digest | undefined {
  const digest = headers['docker-content-digest'];
  return typeof digest === 'string' && isDigest(digest) ? digest : undefined;
}

function mediaTypeIn({ headers }: Answer): string | undefined {
  const type = headers['content-type']?.replace(/\s*;.*/, '');
  return type !== undefined && /^application\/vnd\./.test(type) ? type : undefined;
}

function mediaTypeOf(bytes: Buffer): string | undefined {
  const { mediaType } = (parseJsonObject(bytes) ?? {}) as { mediaType?: unknown };
  return typeof mediaType === 'string' ? mediaType : undefined;
}

function otherBytes({ registry, what }: Place, expected: Digest, found: Digest): TransientError {
  return new TransientError(
    () =>
      new GbuildError(
        'registry-failed',
        `the registry ${registry}, asked to ${what}, has other bytes: expected ${expected}, found ${found}`,
        {
          facts: { registry, expected, found },
        },
      ),
  );
}
