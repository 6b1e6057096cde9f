import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { keystoreOf, withoutDates } from '../../../src/toolchain/host/keystore.ts';

const roots = rootCertificates.slice(0, 3);

/** The keystore as another day would have made it: every date is another one. */
function onAnotherDay(keystore: Buffer): Buffer {
  const copy = Buffer.from(keystore);
  const length = copy.readUInt16BE(16);
  copy.writeBigUInt64BE(1_700_000_000_000n, 18 + length);
  return copy;
}

test('the same certificates are the same keystore, and each is in it whole', () => {
  const keystore = keystoreOf(roots);
  expect(keystoreOf([...roots])).toEqual(keystore);
  for (const pem of roots) expect(keystore.includes(new X509Certificate(pem).raw)).toBe(true);
  expect(keystoreOf(roots.map((pem) => pem.replaceAll('\n', '\r\n')))).toEqual(keystore);
});

test('two days of one keystore are one without their dates, its digest included', () => {
  const keystore = keystoreOf(roots);
  const another = onAnotherDay(keystore);
  expect(another).not.toEqual(keystore);
  expect(withoutDates(another)).toEqual(withoutDates(keystore));
  expect(withoutDates(keystore)).toEqual(keystore);
});

test('what is no such keystore stays as it is', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('no keystore'), Buffer.alloc(64, 1)])
    expect(withoutDates(bytes)).toBe(bytes);
  const withKey = Buffer.from(keystoreOf(roots));
  withKey.writeUInt32BE(1, 12);
  expect(withoutDates(withKey)).toBe(withKey);
});
