import { describe, expect, test } from 'vitest';
import { destinationOf, formatDestination, parseDestination } from '../../../src/put/depot/destination.ts';
import { errorOf } from '../../support/assert/error-of.ts';

const format = (text: string, path?: string) => {
  const destination = parseDestination(text);
  return formatDestination(path === undefined ? destination : destinationOf(destination, path));
};

describe('an address', () => {
  test.each([
    's3://bucket/app/1.0.1.tar.gz',
    's3://my.bucket-1/a b?c#d%41',
    'https://store.example.com:8443/app/1.0.1.zip',
    'http://127.0.0.1:8080/x',
    'http://[::1]:8080/x',
    'http://localhost/x',
    'file:///var/releases/1.0.1.zip',
  ])('%s is one for one file', (text) => {
    expect(parseDestination(text).isFolder).toBe(false);
    expect(format(text)).toBe(text);
  });

  test.each(['s3://bucket/', 's3://bucket/app/', 'https://example.com/', 'file:///var/'])(
    '%s with a slash at its end takes each file under its path',
    (text) => {
      expect(parseDestination(text).isFolder).toBe(true);
      expect(format(text, 'a/b.txt')).toBe(`${text}a/b.txt`);
    },
  );

  test('shows neither its user nor the secrets of its query', () => {
    expect(format('https://ci:geheim@example.com/a?X-Amz-Signature=f00')).toBe('https://example.com/a');
  });

  test('of a file is decoded, and so are blanks in paths below an HTTP address spelled', () => {
    expect(parseDestination('file:///a%20b/c')).toMatchObject({ path: '/a b/c' });
    expect(format('https://example.com/', 'a b/ä?.txt')).toBe('https://example.com/a%20b/%C3%A4%3F.txt');
  });
});

test('an address at which nothing can be put is refused', async () => {
  const wrong = [
    'ftp://example.com/x',
    'bucket/key',
    '',
    's3://bucket',
    's3://B_cket/key',
    's3:///key',
    's3://bucket/a//b',
    's3://bucket/../b',
    'http://example.com/x',
    'file://host/x',
    'file:x',
    'https://',
    'https://ci:geheim@exa mple.com/x',
    'file:///a%2Fb',
  ];
  const errors = await Promise.all(wrong.map((text) => errorOf(() => parseDestination(text))));
  expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['usage']));
  expect(errors.map(({ message }) => message)).toMatchInlineSnapshot(`
    [
      "ftp://example.com/x is not an address that files can be put at",
      "bucket/key is not an address that files can be put at",
      "an empty text is not an address that files can be put at",
      "s3://bucket has no key",
      "s3://B_cket/key names no bucket of S3",
      "s3:///key names no bucket of S3",
      "s3://bucket/a//b has an empty part, . or .. in its key",
      "s3://bucket/../b has an empty part, . or .. in its key",
      "http://example.com/x is not encrypted, and not on this machine",
      "file://host/x is not file:// with an absolute path",
      "file:x is not an address that files can be put at",
      "https:// is not an address that files can be put at",
      "https://exa mple.com/x is not an address that files can be put at",
      "file:///a%2Fb is not file:// with an absolute path",
    ]
  `);
  expect(errors[3]!.suggestions).toMatchInlineSnapshot(`
    [
      "--put s3://bucket/   # the files under their paths",
      "--put s3://BUCKET/KEY, --put https://HOST/PATH or --put file:///PATH",
    ]
  `);
});

test('a path that leads out of a folder is a mistake of gbuild', async () => {
  const { code } = await errorOf(() => destinationOf(parseDestination('s3://bucket/'), '../x'));
  expect(code).toBe('bug');
});
