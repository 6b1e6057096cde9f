import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { generateKeyPair } from '../../../src/attest/signature/cosign-key.ts';
import { readPrivateKey, readPublicKey } from '../../../src/attest/signature/key.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { cosignKey, cosignPassword, cosignPub } from './cosign-fixture.ts';

const text = Buffer.from('hello');
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed25519 = generateKeyPairSync('ed25519');
const pemOf = (key: typeof ec.privateKey, type: 'pkcs8' | 'sec1') => key.export({ type, format: 'pem' }).toString();

describe('a private key', () => {
  it.each([
    ['of cosign', cosignKey, cosignPassword],
    ['that gbuild made', generateKeyPair('secret').privatePem, 'secret'],
    ['that gbuild made without a password', generateKeyPair('').privatePem, undefined],
    ['in PKCS #8', pemOf(ec.privateKey, 'pkcs8'), undefined],
    [
      'in PKCS #8, encrypted',
      ec.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }).toString(),
      'secret',
    ],
    ['in SEC 1', pemOf(ec.privateKey, 'sec1'), undefined],
    ['of Ed25519', pemOf(ed25519.privateKey, 'pkcs8'), undefined],
  ])('%s signs, and its public key verifies, here and elsewhere', (_, pem, password) => {
    const key = readPrivateKey(pem, { label: 'cosign.key', ...(password !== undefined && { password }) });
    const signature = key.sign(text);
    expect(key.publicKey.verify(text, signature)).toBe(true);
    expect(key.publicKey.verify(Buffer.from('hellO'), signature)).toBe(false);
    const theirs = createPublicKey(key.publicKey.pem);
    expect(verify(theirs.asymmetricKeyType === 'ec' ? 'sha256' : null, text, theirs, signature)).toBe(true);
  });

  it('of cosign gives the cosign.pub that cosign wrote', () => {
    const key = readPrivateKey(cosignKey, { label: 'cosign.key', password: cosignPassword });
    expect(key.publicKey.pem).toBe(cosignPub);
    const der = Buffer.from(cosignPub.split('-----')[2]!, 'base64');
    const hint = createHash('sha256').update(der).digest('base64');
    expect([key.publicKey.hint, readPublicKey(cosignPub, { label: 'cosign.pub' }).hint]).toEqual([hint, hint]);
  });

  it('is refused where its password is wrong', async () => {
    expect(
      await errorOf(() => readPrivateKey(cosignKey, { label: 'cosign.key', password: 'battery' })),
    ).toMatchInlineSnapshot(`
      {
        "code": "key-invalid",
        "message": "the password does not open cosign.key",
        "suggestions": [
          "Set COSIGN_PASSWORD to the password that the key was made with; empty if it has none.",
        ],
      }
    `);
  });

  it('that is no key is refused', async () => {
    expect(await errorOf(() => readPrivateKey('hello', { label: 'cosign.key' }))).toMatchInlineSnapshot(`
      {
        "code": "key-invalid",
        "message": "cosign.key is not a private key that can be used",
        "suggestions": [
          "Give a key in PEM: the cosign.key of cosign generate-key-pair, or one of openssl genpkey.",
        ],
      }
    `);
  });

  it('of another kind is refused', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const pem = pemOf(privateKey, 'pkcs8');
    expect(await errorOf(() => readPrivateKey(pem, { label: 'p384.pem' }))).toMatchInlineSnapshot(`
      {
        "code": "key-invalid",
        "message": "p384.pem is a key of the kind ec on secp384r1: expected ECDSA on P-256, or Ed25519",
        "suggestions": [],
      }
    `);
  });

  it('that asks for more memory than cosign ever does is refused', async () => {
    const body = Buffer.from(cosignKey.split('-----')[2]!, 'base64').toString().replace('"N":65536', '"N":1073741824');
    const pem = cosignKey.replace(/-----\n[^-]+/, `-----\n${Buffer.from(body).toString('base64')}\n`);
    expect(
      await errorOf(() => readPrivateKey(pem, { label: 'cosign.key', password: cosignPassword })),
    ).toMatchInlineSnapshot(`
      {
        "code": "key-invalid",
        "message": "cosign.key is not a key that cosign wrote: its encryption is not known",
        "suggestions": [],
      }
    `);
  });
});

describe('generateKeyPair', () => {
  it('writes what cosign writes: the same armour, lines and JSON', () => {
    const { privatePem, publicPem } = generateKeyPair('secret');
    const shapeOf = (pem: string) => {
      const lines = pem.split('\n');
      const sealed = JSON.parse(Buffer.from(lines.slice(1, -2).join(''), 'base64').toString());
      return {
        first: lines[0],
        last: lines.slice(-2),
        widest: Math.max(...lines.slice(1, -2).map((line) => line.length)),
        kdf: { ...sealed.kdf, salt: sealed.kdf.salt.length },
        cipher: sealed.cipher.name,
      };
    };
    expect(shapeOf(privatePem)).toEqual(shapeOf(cosignKey));
    expect(publicPem).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    expect(readPrivateKey(privatePem, { label: 'k', password: 'secret' }).publicKey.pem).toBe(publicPem);
  });

  it('makes another pair each time', () => {
    expect(generateKeyPair('secret').publicPem).not.toBe(generateKeyPair('secret').publicPem);
  });
});
