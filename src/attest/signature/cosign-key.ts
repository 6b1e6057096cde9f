import { generateKeyPairSync, randomBytes, scryptSync } from 'node:crypto';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { GbuildError } from '../../errors.ts';

const label = 'ENCRYPTED SIGSTORE PRIVATE KEY';
const pemPattern = /-----BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/;

/** Allowed costs of scrypt: the three that go-securesystemslib knows, so that a file cannot demand more. */
const costs = [32768, 65536, 131072];
const cost = 65536;

/** JSON in a cosign.key (go-securesystemslib, "encrypted"); bytes in base64. */
interface SealedKey {
  kdf: { name: string; params: { N: number; r: number; p: number }; salt: string };
  cipher: { name: string; nonce: string };
  ciphertext: string;
}

export function isCosignKey(pem: string): boolean {
  return pemPattern.test(pem);
}

/** Decrypts the PKCS #8 DER in a cosign.key. Throws `key-invalid`. */
export function openCosignKey(pem: string, password: string, place: string): Buffer {
  const sealed = parseSealed(pem, place);
  const key = deriveKey(password, Buffer.from(sealed.kdf.salt, 'base64'), sealed.kdf.params.N);
  try {
    const nonce = Buffer.from(sealed.cipher.nonce, 'base64');
    return Buffer.from(xsalsa20poly1305(key, nonce).decrypt(Buffer.from(sealed.ciphertext, 'base64')));
  } catch (cause) {
    throw new GbuildError('key-invalid', `the password does not open ${place}`, {
      cause,
      suggestions: ['Set COSIGN_PASSWORD to the password that the key was made with; empty if it has none.'],
    });
  }
}

/**
 * Generates an ECDSA key pair on P-256 like `cosign generate-key-pair`: cosign.key, encrypted with the password (which
 * may be empty), and cosign.pub.
 */
export function generateKeyPair(password: string): { privatePem: string; publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { privatePem: sealCosignKey(der, password), publicPem };
}

function sealCosignKey(der: Buffer, password: string): string {
  const [salt, nonce] = [randomBytes(32), randomBytes(24)];
  const ciphertext = Buffer.from(xsalsa20poly1305(deriveKey(password, salt, cost), nonce).encrypt(der));
  const sealed: SealedKey = {
    kdf: { name: 'scrypt', params: { N: cost, r: 8, p: 1 }, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: ciphertext.toString('base64'),
  };
  const body = Buffer.from(JSON.stringify(sealed)).toString('base64');
  return `-----BEGIN ${label}-----\n${body.replaceAll(/.{64}/g, '$&\n').trimEnd()}\n-----END ${label}-----\n`;
}

function deriveKey(password: string, salt: Buffer, N: number): Buffer {
  return scryptSync(password, salt, 32, { N, r: 8, p: 1, maxmem: 2 * 128 * N * 8 });
}

function parseSealed(pem: string, place: string): SealedKey {
  try {
    const sealed = JSON.parse(Buffer.from(pemPattern.exec(pem)![2]!, 'base64').toString()) as SealedKey;
    const { N, r, p } = sealed.kdf.params;
    const isKnown = sealed.kdf.name === 'scrypt' && sealed.cipher.name === 'nacl/secretbox';
    if (isKnown && costs.includes(N) && r === 8 && p === 1) return sealed;
  } catch {
    // Reported below, together with other invalid keys.
  }
  throw new GbuildError('key-invalid', `${place} is not a key that cosign wrote: its encryption is not known`);
}
