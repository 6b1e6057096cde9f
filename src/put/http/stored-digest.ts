import type { IncomingHttpHeaders } from 'node:http';

/**
 * Reads the sha256 that a server tells of what it stores, as hex digits: `Repr-Digest` (RFC 9530), `Digest` (RFC 3230),
 * or `X-Checksum-Sha256` of artifact stores.
 */
export function readStoredDigest(headers: IncomingHttpHeaders): string | undefined {
  const plain = headers['x-checksum-sha256'];
  if (typeof plain === 'string' && /^[0-9a-f]{64}$/i.test(plain)) return plain.toLowerCase();
  // A digest of bytes that were encoded for the transfer says nothing of the file.
  if (headers['content-encoding'] !== undefined) return undefined;
  const structured = /(?:^|[,\s])sha-256=:([\w+/=]+):/i.exec(String(headers['repr-digest'] ?? ''))?.[1];
  const old = /(?:^|[,\s])sha-256=([\w+/=]+)/i.exec(String(headers.digest ?? ''))?.[1];
  const hex = Buffer.from(structured ?? old ?? '', 'base64').toString('hex');
  return hex.length === 64 ? hex : undefined;
}

/** Formats the digest of a file as a header value (RFC 9530). */
export function formatReprDigest(sha256: string): string {
  return `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`;
}
