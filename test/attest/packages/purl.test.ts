import fc from 'fast-check';
import { PackageURL } from 'packageurl-js';
import { expect, it } from 'vitest';
import { formatPurl } from '../../../src/attest/packages/purl.ts';

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((each) => each.trim() === each);
const segment = text.filter((each) => !/^[./]+$/.test(each) && !each.includes('/'));
/** That reader decodes qualifiers twice. */
const qualifier = text.filter((each) => !each.includes('%'));

it('a purl says to another reader what was put in', () => {
  const parts = fc.record({ namespace: segment, name: segment, version: text, qualifier });
  fc.assert(
    fc.property(parts, ({ namespace, name, version, qualifier }) => {
      const purl = formatPurl({ type: 'gem', namespace, name, version, qualifiers: { platform: qualifier } });
      const read = PackageURL.fromString(purl);
      expect(read).toMatchObject({ type: 'gem', namespace, name, version, qualifiers: { platform: qualifier } });
    }),
  );
});

it.each([
  [
    {
      type: 'deb',
      namespace: 'debian',
      name: 'libstdc++6',
      version: '12.2.0-14',
      qualifiers: { distro: 'debian-12', arch: 'amd64' },
    },
    'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=debian-12',
  ],
  [{ type: 'npm', namespace: '@acme', name: 'tool', version: '1.0.0' }, 'pkg:npm/%40acme/tool@1.0.0'],
  [
    { type: 'maven', namespace: 'org.scala-lang', name: 'scala-library_3', version: '3.4' },
    'pkg:maven/org.scala-lang/scala-library_3@3.4',
  ],
  [{ type: 'generic', name: 'a(b)' }, 'pkg:generic/a%28b%29'],
])('%j is spelt %s', (parts, expected) => {
  expect(formatPurl(parts)).toBe(expected);
});
