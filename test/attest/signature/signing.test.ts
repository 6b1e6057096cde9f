import { describe, expect, it } from 'vitest';
import { generateKeyPair } from '../../../src/attest/signature/cosign-key.ts';
import {
  encodePae,
  formatEnvelope,
  parseEnvelope,
  signStatement,
  verifyEnvelope,
} from '../../../src/attest/signature/dsse.ts';
import { readPrivateKey, readPublicKey } from '../../../src/attest/signature/key.ts';
import { signImage, verifyImageSignature } from '../../../src/attest/signature/simple-signing.ts';
import { formatStatement } from '../../../src/attest/signature/statement.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { cosignPub, cosignSigned } from './cosign-fixture.ts';

const makeKey = () => readPrivateKey(generateKeyPair('').privatePem, { label: 'key' });
const [key, other] = [makeKey(), makeKey()];

const name = 'registry.example/acme/hello';
const digest = digestOf(Buffer.from('{"manifest":true}'));
const statement = formatStatement({ name, digest }, 'https://slsa.dev/provenance/v1', { made: true });

describe('the signature of an image', () => {
  const signed = signImage({ name, digest: digest }, key);

  it('is what cosign signs, to the byte', () => {
    const { payload } = signImage({ name: '127.0.0.1:17351/a/fix', digest: cosignSigned.digest }, key);
    expect(payload.toString()).toBe(cosignSigned.payload);
  });

  it('of cosign is accepted', () => {
    const publicKey = readPublicKey(cosignPub, { label: 'cosign.pub' });
    const { payload, signature, digest } = cosignSigned;
    verifyImageSignature({ payload: Buffer.from(payload), signature }, digest, publicKey);
  });

  it('is accepted, and refused for another key or a payload that was touched', async () => {
    verifyImageSignature(signed, digest, key.publicKey);
    expect(await errorOf(() => verifyImageSignature(signed, digest, other.publicKey))).toMatchInlineSnapshot(`
      {
        "code": "signature-invalid",
        "message": "the image sha256:ce68adf9e53fb3badfbc13e7a0403220922ba3a8829d4c0bd95c3be70faf9553 was not signed with this key",
        "suggestions": [],
      }
    `);
    const payload = Buffer.from(signed.payload.toString().replace('hello', 'hellO'));
    const touched = await errorOf(() => verifyImageSignature({ ...signed, payload }, digest, key.publicKey));
    expect(touched.code).toBe('signature-invalid');
  });

  it('of another image is refused', async () => {
    const another = digestOf(Buffer.from('another'));
    expect(await errorOf(() => verifyImageSignature(signed, another, key.publicKey))).toMatchInlineSnapshot(`
      {
        "code": "signature-invalid",
        "message": "the signature is of the image sha256:ce68adf9e53fb3badfbc13e7a0403220922ba3a8829d4c0bd95c3be70faf9553, not of sha256:ae448ac86c4e8e4dec645729708ef41873ae79c6dff84eff73360989487f08e5",
        "suggestions": [],
      }
    `);
  });
});

describe('an envelope', () => {
  it('signs the encoding that the DSSE specification shows', () => {
    const pae = encodePae('http://example.com/HelloWorld', Buffer.from('hello world'));
    expect(pae.toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('gives its statement to who has the key', () => {
    const envelope = parseEnvelope(formatEnvelope(signStatement(statement, key)));
    expect(verifyEnvelope(envelope, key.publicKey)).toEqual(JSON.parse(statement.toString()));
  });

  it('is refused for another key and another payload', async () => {
    const envelope = signStatement(statement, key);
    expect(await errorOf(() => verifyEnvelope(envelope, other.publicKey))).toMatchInlineSnapshot(`
      {
        "code": "signature-invalid",
        "message": "the attestation was not signed with this key, or was changed since",
        "suggestions": [],
      }
    `);
    const payload = Buffer.from('{}').toString('base64');
    expect((await errorOf(() => verifyEnvelope({ ...envelope, payload }, key.publicKey))).code).toBe(
      'signature-invalid',
    );
  });

  it('of something else than a statement is refused, whoever signed it', async () => {
    const sig = key.sign(encodePae('text/plain', Buffer.from('{}'))).toString('base64');
    const envelope = { payload: 'e30=', payloadType: 'text/plain', signatures: [{ sig }] };
    expect(await errorOf(() => verifyEnvelope(envelope, key.publicKey))).toMatchInlineSnapshot(`
      {
        "code": "signature-invalid",
        "message": "what was signed is not an in-toto statement but text/plain",
        "suggestions": [],
      }
    `);
  });

  it.each([
    '',
    '[]',
    'null',
    '{"payload":1}',
    '{"payload":"","payloadType":"","signatures":[{}]}',
    '{"payload":"","payloadType":"","signatures":[null]}',
  ])('is not made of %j', async (text) => {
    const { code } = await errorOf(() => parseEnvelope(Buffer.from(text)));
    expect(code).toBe('signature-invalid');
  });
});
