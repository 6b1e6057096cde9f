import { GbuildError } from '../../errors.ts';
import { formatCanonical, parseJsonObject } from '../../oci/json.ts';
import type { PrivateKey, PublicKey } from './key.ts';
import { type Statement, statementMediaType } from './statement.ts';

export const envelopeMediaType = 'application/vnd.dsse.envelope.v1+json';

/** DSSE envelope; payload and signatures in base64. */
export interface Envelope {
  payload: string;
  payloadType: string;
  signatures: { sig: string; keyid?: string }[];
}

/** Signs an in-toto statement. The key is not named: the verifier has it. */
export function signStatement(statement: Uint8Array, key: PrivateKey): Envelope {
  const sig = key.sign(encodePae(statementMediaType, statement)).toString('base64');
  return { payload: Buffer.from(statement).toString('base64'), payloadType: statementMediaType, signatures: [{ sig }] };
}

export function formatEnvelope(envelope: Envelope): Buffer {
  return formatCanonical(envelope);
}

/** Parses an envelope; nothing in it is verified yet. Throws `signature-invalid` for an invalid one. */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  const envelope = parseObject(bytes) as Partial<Envelope>;
  const isSigned =
    Array.isArray(envelope.signatures) && envelope.signatures.every((each) => typeof each?.sig === 'string');
  if (isSigned && typeof envelope.payload === 'string' && typeof envelope.payloadType === 'string')
    return envelope as Envelope;
  throw new GbuildError('signature-invalid', 'the attestation is not a DSSE envelope');
}

/**
 * Returns the statement that the key has signed. Throws `signature-invalid` where none of the envelope's signatures is
 * the key's.
 */
export function verifyEnvelope(envelope: Envelope, key: PublicKey): Statement {
  const payload = Buffer.from(envelope.payload, 'base64');
  const signed = encodePae(envelope.payloadType, payload);
  if (!envelope.signatures.some(({ sig }) => key.verify(signed, Buffer.from(sig, 'base64'))))
    throw new GbuildError('signature-invalid', 'the attestation was not signed with this key, or was changed since');
  if (envelope.payloadType !== statementMediaType)
    throw new GbuildError(
      'signature-invalid',
      `what was signed is not an in-toto statement but ${envelope.payloadType}`,
    );
  return parseObject(payload) as unknown as Statement;
}

/** Parses an object from untrusted JSON. */
export function parseObject(bytes: Uint8Array): Record<string, unknown> {
  const value = parseJsonObject(Buffer.from(bytes));
  if (value !== undefined) return value as Record<string, unknown>;
  throw new GbuildError('signature-invalid', 'what should hold a signature or a statement is not a JSON object');
}

/** Encodes the signed bytes (DSSE v1, "Pre-Authentication Encoding"). */
export function encodePae(type: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head), payload]);
}
