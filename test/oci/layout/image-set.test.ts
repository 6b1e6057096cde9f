import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { extendImage, scratchImage } from '../../../src/oci/image/image.ts';
import { packLayer } from '../../../src/oci/layer/layer.ts';
import { copySet, formatIndex, gatherImages, readSet, writeSet } from '../../../src/oci/layout/image-set.ts';
import { openLayout } from '../../../src/oci/layout/layout.ts';
import type { Platform } from '../../../src/oci/spec.ts';

const bytes = Buffer.from('an application');
const entry = { path: 'app/a', type: 'file' as const, executable: false, content: { bytes, size: bytes.length } };
const layer = packLayer([entry], { createdBy: 'gbuild layer: application' });

function imageFor(platform: Platform, annotations: Record<string, string> = {}) {
  return extendImage(scratchImage(platform), [layer], { created: '2024-05-06T07:08:09Z', annotations });
}

const amd = imageFor({ os: 'linux', architecture: 'amd64' }, { title: 'hello', base: 'one' });
const arm = imageFor({ os: 'linux', architecture: 'arm64', variant: 'v8' }, { title: 'hello', base: 'two' });

test('one image bears its name itself, and its manifest is what it was', () => {
  const set = gatherImages([amd]);
  expect([set.descriptor.digest, set.bytes]).toEqual([amd.manifestDigest, amd.manifestBytes]);
});

test('several are listed by platform, whatever order they come in, with the annotations that all of them have', () => {
  const set = gatherImages([arm, amd]);
  expect(set.bytes).toEqual(gatherImages([amd, arm]).bytes);
  expect(JSON.parse(set.bytes.toString())).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    annotations: { title: 'hello' },
    manifests: [
      {
        mediaType: amd.manifest.mediaType,
        digest: amd.manifestDigest,
        size: amd.manifestBytes.length,
        platform: { architecture: 'amd64', os: 'linux' },
      },
      {
        mediaType: arm.manifest.mediaType,
        digest: arm.manifestDigest,
        size: arm.manifestBytes.length,
        platform: { architecture: 'arm64', os: 'linux', variant: 'v8' },
      },
    ],
  });
});

test('what a descriptor says besides, and what the day says, is no part of an index', () => {
  const listed = (image: typeof amd) => {
    const { mediaType } = image.manifest;
    const descriptor = { mediaType, digest: image.manifestDigest, size: image.manifestBytes.length };
    return { ...image, descriptor: { ...descriptor, annotations: { pushed: 'today' } } };
  };
  expect(formatIndex([listed(amd), listed(arm)]).bytes).toEqual(gatherImages([amd, arm]).bytes);
  expect(gatherImages([amd, arm]).descriptor.digest).toMatchInlineSnapshot(
    `"sha256:5ccdc2e641db120003cf7f084034bdca849fba2994700a6cc779e5b0f4df0c01"`,
  );
});

test('a set is read from a layout as it was written, and the layer that all have in common is there once', async () => {
  await using folder = await createFixture({});
  const set = gatherImages([amd, arm]);
  const store = await openLayout(folder.getPath('store'));
  await writeSet(store, set);
  const read = await readSet(store, set.descriptor);
  expect([read.bytes, read.images.map(({ id }) => id)]).toEqual([set.bytes, [amd.id, arm.id]]);
  for (const image of read.images) expect(image.layers.map(({ diffId }) => diffId)).toEqual([layer.diffId]);
  await copySet(read, folder.getPath('one'), 'hello:1.0.0');
  await copySet(set, folder.getPath('two'), 'hello:1.0.0');
  const [one, two] = await Promise.all(['one', 'two'].map((name) => folder.readFile(`${name}/index.json`, 'utf8')));
  expect(one).toBe(two);
});
