import { expect, test } from 'vitest';
import { findFirstDifference } from '../../../src/oci/layer/first-difference.ts';
import { type TarHeader, writeTar } from '../../../src/oci/tar/tar.ts';
import { asStream } from '../../support/images/tree.ts';

const plain = { mode: 0o644, uid: 0, gid: 0, mtime: 5, size: 0 };

function tarOf(files: Record<string, string | Partial<TarHeader>>) {
  const items = Object.entries(files).map(([path, what]) => {
    if (typeof what !== 'string') return { header: { ...plain, path, type: 'file' as const, ...what } };
    const bytes = Buffer.from(what);
    const header = { ...plain, path, type: 'file' as const, size: bytes.length };
    return { header, content: { bytes, size: bytes.length } };
  });
  // In small pieces, which do not end where the other's do.
  const whole = Buffer.concat([...writeTar(items)]);
  return (step: number) =>
    asStream(
      Array.from({ length: Math.ceil(whole.length / step) }, (_, i) => whole.subarray(i * step, (i + 1) * step)),
    );
}

const compare = (a: Parameters<typeof tarOf>[0], b: Parameters<typeof tarOf>[0]) =>
  findFirstDifference(tarOf(a)(700), tarOf(b)(333));

test('two equal layers do not differ', async () => {
  expect(await compare({ a: 'x'.repeat(5000), b: '' }, { a: 'x'.repeat(5000), b: '' })).toBeUndefined();
});

test('the first byte is told, also where one file is the beginning of the other', async () => {
  const long = 'x'.repeat(5000);
  expect(await compare({ a: '1', b: `${long}1${long}` }, { a: '1', b: `${long}2${long}` })).toEqual({
    path: 'b',
    byte: 5000,
    what: 'content',
  });
  expect(await compare({ a: 'same' }, { a: 'same and more' })).toEqual({ path: 'a', byte: 4, what: 'content' });
  expect(await compare({ a: '' }, { a: 'x' })).toEqual({ path: 'a', byte: 0, what: 'content' });
});

test('a path that only one has, another kind and another mode are told', async () => {
  expect(await compare({ a: '1', b: '2' }, { a: '1' })).toEqual({ path: 'b', what: 'only in the first' });
  expect(await compare({ a: '1' }, { '0': '', a: '1' })).toEqual({ path: '0', what: 'only in the second' });
  expect(await compare({ a: {} }, { a: { type: 'symlink', linkTarget: 'b' } })).toEqual({
    path: 'a',
    what: 'type file, not symlink',
  });
  expect(await compare({ a: {} }, { a: { mode: 0o755 } })).toEqual({ path: 'a', what: 'mode 420, not 493' });
});
