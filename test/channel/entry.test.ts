import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ChannelEntry, formatEntry, parseEntry } from '../../src/channel/entry.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { makeChain } from './chains.ts';

const blame = (fault: string) => new Error(fault);
const chain = makeChain([{ set: '1.0.0' }, { promote: '1.0.1' }, { deliver: 'stack' }, 'rollback']);

it('reads every kind of entry that it writes', () => {
  expect(chain.map(({ entry }) => entry.kind)).toEqual(['set', 'promote', 'deliver', 'rollback']);
  for (const { entry, digest } of chain) expect(parseEntry(formatEntry(entry), blame)).toEqual({ digest, entry });
});

it('is an artifact whose only blob is the empty one', () => {
  expect(JSON.parse(formatEntry(chain[0]!.entry).toString())).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/vnd.gbuild.channel.v1+json',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 },
    layers: [{ mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(Buffer.from('{}')), size: 2 }],
    annotations: {
      'io.gbuild.channel': expect.stringContaining('"channel":"production"'),
      'org.opencontainers.image.created': '2023-11-14T22:13:20.000Z',
    },
  });
});

/** A value for one field of an entry that no entry may have. */
const wrong: [keyof ChannelEntry, unknown, string][] = [
  ['name', 'Acme Hello', 'its name is no name of an image'],
  ['channel', '1.0.0', 'its channel has no valid name'],
  ['sequence', 0, 'its sequence is no number from 1'],
  ['sequence', 1.5, 'its sequence is no number from 1'],
  ['previous', undefined, 'its previous is no digest'],
  ['previous', 'sha512:00', 'its previous is no digest'],
  ['kind', 'move', 'its kind is not known'],
  ['release', { version: '1.0.0', digest: digestOf(Buffer.of()), imageIds: [] }, 'its release is not complete'],
  ['release', null, 'its release is not complete'],
  ['since', { at: 'yesterday' }, 'its since is no entry'],
  ['since', { at: '2023-11-14T22:13:20.000Z', entry: { sequence: 1 } }, 'its since is no entry'],
  ['back', { sequence: '1', digest: digestOf(Buffer.of()) }, 'its back is no entry'],
  ['by', '', 'its by is no text'],
  ['at', '2023-11-14', 'its time is none'],
  ['reason', 'x'.repeat(1001), 'its reason is no text'],
  ['tag', 7, 'its tag is no text'],
  ['delivery', { target: 'stack', kind: 'compose', files: [] }, 'its delivery is not complete'],
  ['run', {}, 'its run is no text'],
];

it.each(wrong)('refuses an entry whose %s is %o', (field, value, fault) => {
  const entry = { ...chain[1]!.entry, [field]: value } as ChannelEntry;
  expect(() => parseEntry(formatEntry({ ...entry, at: String(entry.at) }), blame)).toThrow(fault);
});

it('refuses fields that no entry has, however deep, and another spelling of the same entry', () => {
  const { entry } = chain[0]!;
  const extra = formatEntry({ ...entry, more: 1 } as ChannelEntry);
  expect(() => parseEntry(extra, blame)).toThrow('it is not written as gbuild writes it');
  const spaced = Buffer.from(JSON.stringify(JSON.parse(formatEntry(entry).toString()), null, 1));
  expect(() => parseEntry(spaced, blame)).toThrow('it is not written as gbuild writes it');
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const manifest = JSON.parse(formatEntry(entry).toString());
  const text = manifest.annotations['io.gbuild.channel'].replace('{', `{"more":${deep},`);
  const nested = Buffer.from(JSON.stringify({ ...manifest, annotations: { 'io.gbuild.channel': text } }));
  expect(() => parseEntry(nested, blame)).toThrow('it is not written as gbuild writes it');
});

it('throws only what it is told to throw, whatever a registry has under the tag', () => {
  const json = fc.json().map((text) => Buffer.from(text));
  const around = fc.anything().map((annotation) => {
    const artifactType = 'application/vnd.gbuild.channel.v1+json';
    const text = JSON.stringify(annotation) ?? 'null';
    const annotations = { 'io.gbuild.channel': annotation === undefined ? 1 : text };
    return Buffer.from(JSON.stringify({ artifactType, annotations }));
  });
  const fields = fc.dictionary(fc.constantFrom(...Object.keys(chain[3]!.entry), 'delivery'), fc.jsonValue());
  const mixed = fields.map((some) => formatEntry({ ...chain[3]!.entry, ...some } as ChannelEntry));
  fc.assert(
    fc.property(fc.oneof(json, fc.uint8Array().map(Buffer.from), around, mixed), (bytes) => {
      try {
        const { entry, digest } = parseEntry(Buffer.from(bytes), () => new RangeError('refused'));
        expect([formatEntry(entry).equals(bytes), digest]).toEqual([true, digestOf(bytes)]);
      } catch (thrown) {
        expect(thrown).toEqual(new RangeError('refused'));
      }
    }),
    { numRuns: 2000 },
  );
});
