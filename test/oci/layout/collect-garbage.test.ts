import { utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { extendImage, type Image, scratchImage } from '../../../src/oci/image/image.ts';
import { packLayer } from '../../../src/oci/layer/layer.ts';
import { findGarbage, pruneLayout } from '../../../src/oci/layout/collect-garbage.ts';
import { readImage, writeImage } from '../../../src/oci/layout/copy.ts';
import { copySet, gatherImages } from '../../../src/oci/layout/image-set.ts';
import { type Layout, openLayout } from '../../../src/oci/layout/layout.ts';
import { annotationKeys, type Descriptor, mediaTypes } from '../../../src/oci/spec.ts';
import { makeFolder } from '../../support/images/tree.ts';

const created = '2024-05-06T07:08:09Z';
const layerOf = (text: string) => {
  const bytes = Buffer.from(text);
  return packLayer([{ path: text, type: 'file', executable: false, content: { bytes, size: bytes.length } }], {
    createdBy: text,
  });
};
const imageOf = (...texts: string[]) =>
  extendImage(scratchImage({ os: 'linux', architecture: 'amd64' }), texts.map(layerOf), { created });
const [one, two] = [imageOf('shared', 'one'), imageOf('shared', 'two')];

/** As if it had been written two hours ago. */
function age(layout: Layout, ...images: Image[]): void {
  const then = Date.now() / 1000 - 7200;
  for (const { id, manifestDigest, layers } of images)
    for (const digest of [id, manifestDigest, ...layers.map(({ diffId }) => diffId)])
      utimesSync(layout.blobFile(digest), then, then);
}

const anHourAgo = () => Date.now() - 3_600_000;
const without = (name: string) => async (manifests: Descriptor[]) =>
  manifests.filter(({ annotations }) => annotations?.[annotationKeys.refName] !== name);

async function openBoth(dir: string): Promise<Layout> {
  await copySet(gatherImages([one]), dir, 'a:1');
  await copySet(gatherImages([two]), dir, 'a:2');
  const layout = await openLayout(dir);
  age(layout, one, two);
  return layout;
}

describe('pruning a layout', () => {
  it('takes names away and the blobs that they alone needed, as was said before', async () => {
    await using folder = await makeFolder();
    const layout = await openBoth(folder.getPath('store'));
    const options = { keep: without('a:1'), before: anHourAgo() };
    const expected = await findGarbage(layout, options);
    expect(await pruneLayout(layout, options)).toEqual(expected);
    const gone = [one.id, one.manifestDigest, one.layers[1]!.diffId];
    expect([expected.digests.toSorted(), gone.filter((digest) => layout.hasBlob(digest))]).toEqual([gone.sort(), []]);
    expect((await layout.readIndex()).manifests).toHaveLength(1);
    expect((await readImage(layout, two.manifestDigest)).layers).toHaveLength(2);
  });

  it('leaves a blob that was written, or was there and wanted, a moment ago', async () => {
    await using folder = await makeFolder();
    const layout = await openBoth(folder.getPath('store'));
    await writeImage(layout, one);
    const { digests } = await pruneLayout(layout, { keep: async () => [], before: anHourAgo() });
    expect(digests.toSorted()).toEqual([two.id, two.manifestDigest, two.layers[1]!.diffId].sort());
  });

  it('takes nothing where a manifest that stays cannot be read', async () => {
    await using folder = await makeFolder();
    const layout = await openBoth(folder.getPath('store'));
    writeFileSync(layout.blobFile(two.manifestDigest), 'damaged');
    const pruned = pruneLayout(layout, { keep: without('a:1'), before: anHourAgo() });
    await expect(pruned).rejects.toThrowError(/is damaged/);
    expect([(await layout.readIndex()).manifests.length, layout.hasBlob(one.id)]).toEqual([2, true]);
  });

  it('in the middle of a release makes the naming fail, and names nothing that lacks a blob', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('store'));
    await writeImage(layout, one);
    age(layout, one);
    await pruneLayout(layout, { keep: async (manifests) => manifests, before: anHourAgo() });
    const { manifestDigest: digest, manifestBytes, id } = one;
    const descriptor = { mediaType: mediaTypes.manifest, digest, size: manifestBytes.length };
    await expect(layout.addManifest(descriptor, [digest, id])).rejects.toThrowError(
      expect.objectContaining({ code: 'store-failed', suggestions: ['run the same command again'] }),
    );
    expect((await layout.readIndex()).manifests).toEqual([]);
    expect(layout.hasBlob(digestOf(Buffer.from('never')))).toBe(false);
  });
});
