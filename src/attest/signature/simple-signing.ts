import { GbuildError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatCanonical } from '../../oci/json.ts';
import { parseObject } from './dsse.ts';
import type { PrivateKey, PublicKey } from './key.ts';
import type { Subject } from './statement.ts';

export const simpleSigningMediaType = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** Annotation of the payload's descriptor with cosign's signature, in base64. */
export const signatureAnnotation = 'dev.cosignproject.cosign/signature';

interface SimpleSigning {
  critical: {
    identity: { 'docker-reference': string };
    image: { 'docker-manifest-digest': string };
    type: string;
  };
  optional: Record<string, string> | null;
}

/** Signs an image as cosign does (containers/image, "simple signing"); returns the payload, and the signature in base64. */
export function signImage({ name, digest }: Subject, key: PrivateKey): { payload: Buffer; signature: string } {
  const statement: SimpleSigning = {
    critical: {
      identity: { 'docker-reference': name },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional: null,
  };
  const payload = formatCanonical(statement);
  return { payload, signature: key.sign(payload).toString('base64') };
}

/**
 * Verifies a signature. Throws `signature-invalid` where the key has not signed the payload, or where the payload names
 * another image.
 */
export function verifyImageSignature(
  { payload, signature }: { payload: Uint8Array; signature: string },
  digest: Digest,
  key: PublicKey,
): void {
  if (!key.verify(payload, Buffer.from(signature, 'base64')))
    throw new GbuildError('signature-invalid', `the image ${digest} was not signed with this key`);
  const { critical } = parseObject(payload) as Partial<SimpleSigning>;
  const signed = critical?.image?.['docker-manifest-digest'];
  if (signed !== digest)
    throw new GbuildError('signature-invalid', `the signature is of the image ${signed}, not of ${digest}`, {
      facts: { signed, digest },
    });
}
