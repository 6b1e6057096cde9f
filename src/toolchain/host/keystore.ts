import { createHash } from 'node:crypto';
import { constantTime } from '../../oci/layer/layer.ts';

/** Trusted certificate of a Java keystore: its alias, and DER. */
interface TrustedCertificate {
  alias: string;
  der: Buffer;
}

// Format of the JDK's sun.security.provider.JavaKeyStore, which every JDK reads, whatever its own default is.
const magic = 0xfeedfeed;
const version = 2;
const trustedTag = 2;

/** Password that every JDK uses for its roots; it is no secret. It keys the digest at the end. */
const password = 'changeit';

/** Writes the keystore of these PEM certificates for a JDK's roots: the same bytes for the same certificates. */
export function keystoreOf(pems: readonly string[]): Buffer {
  const entries = pems.map((pem, index) => ({ alias: `root-${index}`, der: derOf(pem) }));
  return formatKeystore(entries);
}

/** Removes the import dates of the certificates from a keystore; any other file stays as it is. */
export function withoutDates(keystore: Buffer): Buffer {
  const entries = parseKeystore(keystore);
  return entries === undefined ? keystore : formatKeystore(entries);
}

function formatKeystore(entries: TrustedCertificate[]): Buffer {
  const sorted = [...entries].sort((left, right) => (left.alias < right.alias ? -1 : 1));
  const parts = [numbers(magic, version, sorted.length)];
  for (const { alias, der } of sorted) {
    const date = Buffer.alloc(8);
    date.writeBigUInt64BE(BigInt(constantTime) * 1000n);
    parts.push(numbers(trustedTag), textOf(alias), date, textOf('X.509'), numbers(der.length), der);
  }
  const body = Buffer.concat(parts);
  return Buffer.concat([body, digestOf(body)]);
}

function parseKeystore(bytes: Buffer): TrustedCertificate[] | undefined {
  if (bytes.length < 32 || bytes.readUInt32BE(0) !== magic || bytes.readUInt32BE(4) !== version) return undefined;
  const entries: TrustedCertificate[] = [];
  let at = 12;
  const readText = () => {
    const length = bytes.readUInt16BE(at);
    at += 2 + length;
    return bytes.toString('utf8', at - length, at);
  };
  for (let left = bytes.readUInt32BE(8); left > 0; left -= 1) {
    // A private key belongs to a person: then this is not a store of roots.
    if (bytes.readUInt32BE(at) !== trustedTag) return undefined;
    at += 4;
    const alias = readText();
    at += 8;
    readText();
    const length = bytes.readUInt32BE(at);
    at += 4 + length;
    entries.push({ alias, der: bytes.subarray(at - length, at) });
  }
  return entries;
}

function digestOf(body: Buffer): Buffer {
  const key = Buffer.from(password, 'utf16le').swap16();
  return createHash('sha1').update(key).update('Mighty Aphrodite').update(body).digest();
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

/** Encodes a text with a length of two bytes, like Java's writeUTF. */
function textOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\s+/g, ''), 'base64');
}
