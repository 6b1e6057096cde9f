import { createHash } from 'node:crypto';
import { GbuildError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/spec.ts';
import type { RepositoryContext } from '../auth/repository-context.ts';
import type { Answer } from '../http/requests.ts';
import { leastProgress, TransientError } from '../http/retry.ts';

type Blob = Pick<Descriptor, 'digest' | 'size'>;

export async function headBlob(
  { connection, path, scopes }: RepositoryContext,
  digest: Digest,
): Promise<number | undefined> {
  const what = `say whether it has the blob ${digest} of ${path}`;
  const request = { what, method: 'HEAD', at: `${path}/blobs/${digest}`, scopes: scopes.pull } as const;
  const answer = await connection.ask(request, [200, 404]);
  await connection.discard(answer);
  return answer.status === 404 ? undefined : Number(answer.headers['content-length'] ?? 0);
}

/**
 * Reads a blob. After a broken connection it continues by Range. The last chunk is held back until size and digest
 * match.
 */
export async function* readBlob(context: RepositoryContext, blob: Blob): AsyncGenerator<Buffer> {
  const { connection, path } = context;
  const what = `give the blob ${blob.digest} of ${path}`;
  const backoff = connection.backoff();
  const hash = createHash('sha256');
  let position = 0;
  let held: Buffer | undefined;
  let reached = 0;
  while (position < blob.size || held === undefined) {
    try {
      for await (const chunk of readFrom(context, blob, position, what)) {
        position += chunk.length;
        if (position - reached >= leastProgress) {
          backoff.restart();
          reached = position;
        }
        if (position > blob.size)
          throw wrongBlob(connection.registry, path, blob, `it is longer than ${blob.size} bytes`);
        hash.update(chunk);
        if (held !== undefined) yield held;
        held = chunk;
      }
      if (position === blob.size) break;
      throw cutShort(connection.registry, path, blob, position);
    } catch (thrown) {
      await backoff.pause(thrown);
    }
  }
  const found: Digest = `sha256:${hash.digest('hex')}`;
  if (found !== blob.digest) throw wrongBlob(connection.registry, path, blob, `its digest is ${found}`);
  if (held !== undefined) yield held;
}

async function* readFrom(
  context: RepositoryContext,
  blob: Blob,
  position: number,
  what: string,
): AsyncGenerator<Buffer> {
  const { connection, path } = context;
  const answer = await askFrom(context, blob, position, what);
  let skip = position - (startOf(answer) ?? position);
  if (skip < 0) throw cutShort(connection.registry, path, blob, position);
  for await (const chunk of connection.stream(answer, what)) {
    const fresh = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - fresh.length;
    if (fresh.length > 0) yield fresh;
  }
}

/** Requests from an offset, or everything where the registry refuses the range (416). */
async function askFrom(
  { connection, path, scopes }: RepositoryContext,
  { digest, size }: Blob,
  position: number,
  what: string,
): Promise<Answer> {
  const request = { what, method: 'GET', at: `${path}/blobs/${digest}`, scopes: scopes.pull } as const;
  if (position === 0) return connection.askOnce(request, [200]);
  const headers = { Range: `bytes=${position}-${size - 1}` };
  const answer = await connection.askOnce({ ...request, headers }, [200, 206, 416]);
  if (answer.status !== 416) return answer;
  await connection.discard(answer);
  return connection.askOnce(request, [200]);
}

/** Returns the offset where the answer starts: a registry without ranges sends everything again (200). */
function startOf({ status, headers }: Answer): number | undefined {
  if (status === 200) return 0;
  const start = /^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1];
  return start === undefined ? undefined : Number(start);
}

function cutShort(registry: string, path: string, blob: Blob, position: number): TransientError {
  return new TransientError(() => wrongBlob(registry, path, blob, `it ends after ${position} of ${blob.size} bytes`));
}

function wrongBlob(registry: string, path: string, { digest, size }: Blob, why: string): GbuildError {
  return new GbuildError(
    'registry-failed',
    `the registry ${registry} gave other bytes than the blob ${digest} of ${path}: ${why}`,
    {
      facts: { registry, digest, size },
    },
  );
}
