import { GbuildError } from '../../errors.ts';
import { formatCanonical } from '../../oci/json.ts';
import { type Envelope, parseEnvelope, parseObject, verifyEnvelope } from './dsse.ts';
import type { PublicKey } from './key.ts';
import type { Statement } from './statement.ts';

export const bundleMediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** Formats a sigstore bundle v0.3 of an envelope that an offline key signed: no certificate, no transparency log. */
export function formatBundle(envelope: Envelope, key: PublicKey): Buffer {
  const [{ sig = '', keyid = '' } = {}] = envelope.signatures;
  return formatCanonical({
    mediaType: bundleMediaType,
    verificationMaterial: { publicKey: { hint: key.hint } },
    dsseEnvelope: { ...envelope, signatures: [{ sig, keyid }] },
  });
}

/** Returns the statement of a bundle, after verifying that its signature is the key's. Throws `signature-invalid`. */
export function verifyBundle(bytes: Uint8Array, key: PublicKey): Statement {
  const { dsseEnvelope } = parseObject(bytes);
  if (dsseEnvelope === undefined) throw new GbuildError('signature-invalid', 'the bundle holds no DSSE envelope');
  return verifyEnvelope(parseEnvelope(formatCanonical(dsseEnvelope)), key);
}
