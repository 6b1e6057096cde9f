import { describe, expect, it } from 'vitest';
import { digestOf, digestStream, parseDigest } from '../../src/oci/digest.ts';
import {
  formatInFull,
  formatReference,
  isRepositoryName,
  isTag,
  parseFilePlace,
  parseReference,
} from '../../src/oci/reference.ts';

const digest = digestOf(Buffer.from('x'));

describe('parseReference', () => {
  it.each([
    ['hello', { repository: 'hello' }],
    ['acme/hello:1.0.1', { repository: 'acme/hello', tag: '1.0.1' }],
    ['localhost/hello', { registry: 'localhost', repository: 'hello' }],
    ['localhost:5000/a/b', { registry: 'localhost:5000', repository: 'a/b' }],
    [`ghcr.io/a/b:t@${digest}`, { registry: 'ghcr.io', repository: 'a/b', tag: 't', digest }],
    ['[::1]:5000/a', { registry: '[::1]:5000', repository: 'a' }],
    [`a__b/c-d/e--f@${digest}`, { repository: 'a__b/c-d/e--f', digest }],
  ])('reads %s, and formats it the same', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
    expect(formatReference(parseReference(text))).toBe(text);
  });

  it('names the part that is wrong', () => {
    const wrong = [
      '',
      'Hello',
      'a/',
      '/a',
      'a..b',
      'a:',
      `a:${'t'.repeat(129)}`,
      'a:-t',
      'a@sha256:12',
      'bad_host.io/a',
      'a b',
      'x'.repeat(256),
    ];
    const messages = wrong.map((text) => {
      try {
        return formatReference(parseReference(text));
      } catch (cause) {
        return (cause as Error).message.replace(/[tx]{100,}/g, '(long)');
      }
    });
    expect(messages).toMatchInlineSnapshot(`
      [
        """ is not an image reference: its repository "" is not valid (expected lower-case letters and digits, separated by single . _ or by - and /)",
        ""Hello" is not an image reference: its repository "Hello" is not valid (expected lower-case letters and digits, separated by single . _ or by - and /; did you mean hello?)",
        ""a/" is not an image reference: its repository "a/" is not valid (expected lower-case letters and digits, separated by single . _ or by - and /)",
        ""/a" is not an image reference: its repository "/a" is not valid (expected lower-case letters and digits, separated by single . _ or by - and /)",
        ""a..b" is not an image reference: its repository "a..b" is not valid (expected lower-case letters and digits, separated by single . _ or by - and /)",
        ""a:" is not an image reference: its tag "" is not valid (expected at most 128 of A-Z a-z 0-9 _ . -, not starting with . or -)",
        ""a:(long)" is not an image reference: its tag "(long)" is not valid (expected at most 128 of A-Z a-z 0-9 _ . -, not starting with . or -)",
        ""a:-t" is not an image reference: its tag "-t" is not valid (expected at most 128 of A-Z a-z 0-9 _ . -, not starting with . or -)",
        ""a@sha256:12" is not an image reference: its digest "sha256:12" is not valid (expected sha256: and 64 lower-case hex digits)",
        ""bad_host.io/a" is not an image reference: its registry "bad_host.io" is not valid (expected HOST or HOST:PORT)",
        ""a b" is not an image reference: its repository "a b" is not valid (expected lower-case letters and digits, separated by single . _ or by - and /)",
        ""(long)" is not an image reference: its repository "(long)" is not valid (expected at most 255 characters)",
      ]
    `);
  });

  it('spells a name in full as containerd does', () => {
    expect(['a:1', 'a/b:1', 'localhost:5000/a:1'].map((text) => formatInFull(parseReference(text)))).toEqual([
      'docker.io/library/a:1',
      'docker.io/a/b:1',
      'localhost:5000/a:1',
    ]);
  });

  it('tells names and tags', () => {
    expect([isRepositoryName('a/b'), isRepositoryName('A'), isTag('1.0.1'), isTag('1.0.1+x')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});

describe('parseFilePlace', () => {
  it('reads a layout and an archive, with all that follows the first colon', () => {
    expect(parseFilePlace('oci:out/a:b:1.0.1')).toEqual({ kind: 'oci', path: 'out/a:b:1.0.1' });
    expect(parseFilePlace('docker-archive:out/image.tar')).toEqual({ kind: 'docker-archive', path: 'out/image.tar' });
  });

  it.each(['oci:', 'docker-archive', 'hello:1.0.1', 'engine:hello', 'x/oci:1'])('is not for %s', (text) => {
    expect(parseFilePlace(text)).toBe(undefined);
  });
});

describe('a digest', () => {
  it('is the same for bytes and for a stream of them', async () => {
    expect(await digestStream([Buffer.from(''), Buffer.from('x')])).toEqual({ digest, size: 1 });
    expect(parseDigest(digest)).toBe(digest);
  });

  it('is refused in any other form', () => {
    expect(() => parseDigest(digest.toUpperCase())).toThrowError(/is not a digest/);
    expect(() => parseDigest('md5:1')).toThrowErrorMatchingInlineSnapshot(
      `[GbuildError: "md5:1" is not a digest: expected sha256: and 64 lower-case hex digits]`,
    );
  });
});
