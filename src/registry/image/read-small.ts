import { GbuildError } from '../../errors.ts';
import type { Descriptor } from '../../oci/spec.ts';
import type { Repository } from '../repository.ts';

/** Limit in bytes for configs and documents. */
const mostBytes = 64 << 20;

/** Reads a blob as bytes. Throws `registry-failed` for one that is too large for a config or document. */
export async function readSmall(repository: Repository, blob: Descriptor): Promise<Buffer> {
  if (blob.size > mostBytes)
    throw new GbuildError(
      'registry-failed',
      `${repository.name}@${blob.digest} has ${blob.size} bytes, where a config or a document was expected`,
      {
        suggestions: [`gbuild inspect ${repository.name}   # what is it?`],
        facts: { registry: repository.registry, digest: blob.digest, size: blob.size },
      },
    );
  const parts: Buffer[] = [];
  for await (const part of repository.readBlob(blob)) parts.push(part);
  return Buffer.concat(parts);
}
