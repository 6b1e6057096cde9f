import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';
import { GbuildError } from '../../errors.ts';
import { isCosignKey, openCosignKey } from './cosign-key.ts';

/** Public key: ECDSA on P-256 or Ed25519. */
export class PublicKey {
  readonly #key: KeyObject;

  constructor(key: KeyObject) {
    this.#key = key;
  }

  /** Key as SPKI in PEM, like cosign.pub. */
  get pem(): string {
    return this.#key.export({ type: 'spki', format: 'pem' }).toString();
  }

  /** Hint by which sigstore's bundles name a key: base64 of the sha256 of its DER. */
  get hint(): string {
    return createHash('sha256')
      .update(this.#key.export({ type: 'spki', format: 'der' }))
      .digest('base64');
  }

  verify(bytes: Uint8Array, signature: Uint8Array): boolean {
    return verifyBytes(hashFor(this.#key), bytes, this.#key, signature);
  }
}

/** Private key in memory; its secret part is never exposed. */
export class PrivateKey {
  readonly #key: KeyObject;
  readonly publicKey: PublicKey;

  constructor(key: KeyObject) {
    this.#key = key;
    this.publicKey = new PublicKey(createPublicKey(key));
  }

  /** Signs bytes: ECDSA in DER over SHA-256 (another signature each time), or pure Ed25519. */
  sign(bytes: Uint8Array): Buffer {
    return signBytes(hashFor(this.#key), bytes, this.#key);
  }
}

/**
 * Reads a private key: cosign's own (`ENCRYPTED SIGSTORE PRIVATE KEY`), PKCS #8 plain or encrypted, or SEC 1. `label`
 * names its origin in messages. Throws `key-invalid`.
 */
export function readPrivateKey(pem: string, { label, password }: { label: string; password?: string }): PrivateKey {
  const der = isCosignKey(pem) ? openCosignKey(pem, password ?? '', label) : undefined;
  const parse = () =>
    der === undefined
      ? createPrivateKey({ key: pem, ...(password !== undefined && { passphrase: password }) })
      : createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return new PrivateKey(checkKind(parseKey(parse, `${label} is not a private key that can be used`), label));
}

/** Reads a public key in PEM. Throws `key-invalid`. */
export function readPublicKey(pem: string, { label }: { label: string }): PublicKey {
  return new PublicKey(
    checkKind(
      parseKey(() => createPublicKey(pem), `${label} is not a public key`),
      label,
    ),
  );
}

function parseKey(parse: () => KeyObject, message: string): KeyObject {
  try {
    return parse();
  } catch (cause) {
    throw new GbuildError('key-invalid', message, {
      cause,
      suggestions: ['Give a key in PEM: the cosign.key of cosign generate-key-pair, or one of openssl genpkey.'],
    });
  }
}

function checkKind(key: KeyObject, label: string): KeyObject {
  const { asymmetricKeyType: type = 'secret', asymmetricKeyDetails: { namedCurve } = {} } = key;
  if (type === 'ed25519' || (type === 'ec' && namedCurve === 'prime256v1')) return key;
  const found = namedCurve === undefined ? type : `${type} on ${namedCurve}`;
  throw new GbuildError('key-invalid', `${label} is a key of the kind ${found}: expected ECDSA on P-256, or Ed25519`);
}

function hashFor(key: KeyObject): 'sha256' | null {
  return key.asymmetricKeyType === 'ec' ? 'sha256' : null;
}
