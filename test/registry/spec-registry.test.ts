import { expect, test } from 'vitest';
import { makeBlob, makeManifest, openRig } from '../support/registry/registry-rig.ts';
import { testRegistry } from '../support/registry/registry-suite.ts';
import { startSpecRegistry } from '../support/registry/spec-registry.ts';

const suite = testRegistry(() => startSpecRegistry({ leastChunk: 250_000 }));

test('of an upload that is cut within a chunk, only what did not arrive is sent again', async () => {
  using rig = openRig({ settings: { chunkBytes: 400_000 } });
  const blob = makeBlob(1_000_000);
  suite.proxy.fault({ method: 'PUT', times: 1, action: { cutUpload: 350_000 } });
  suite.proxy.fault({ method: 'PATCH', times: 1, action: { cutUpload: 150_000 } });
  await suite.open(rig, 'a').writeBlob(blob.descriptor, blob.open);
  const uploads = suite.proxy.requests.filter(({ method }) => method === 'PUT' || method === 'PATCH');
  expect(uploads.map(({ method, headers, sent }) => [method, headers['content-range'], sent])).toEqual([
    ['PUT', undefined, 350_000],
    ['PATCH', '350000-749999', 150_000],
    ['PATCH', '500000-899999', 400_000],
    ['PATCH', '900000-999999', 100_000],
    ['PUT', undefined, 0],
  ]);
  expect(blob.opened).toEqual([0, 350_000, 500_000, 900_000]);
});

test('a registry that wants larger chunks gets them', async () => {
  using rig = openRig({ settings: { chunkBytes: 1000 } });
  const blob = makeBlob(400_000);
  suite.proxy.fault({ method: 'PUT', times: 1, action: { drop: 'before' } });
  await suite.open(rig, 'a').writeBlob(blob.descriptor, blob.open);
  expect(suite.proxy.requests.map(({ headers }) => headers['content-range']).filter(Boolean)).toEqual([
    '0-249999',
    '250000-399999',
  ]);
});

test('what is too much for one request goes in chunks', async () => {
  using rig = openRig({ settings: { chunkBytes: 300_000 } });
  const blob = makeBlob(500_000, 'large');
  const body = '<html>nginx</html>';
  suite.proxy.fault({ method: 'PUT', times: 1, action: { answer: { status: 413, body } } });
  await suite.open(rig, 'a').writeBlob(blob.descriptor, blob.open);
  expect(suite.seen().filter((line) => !line.startsWith('HEAD'))).toEqual([
    'GET 0 200',
    'POST 0 202',
    'PUT 500000 413',
    'GET 0 204',
    'PATCH 300000 202',
    'PATCH 200000 202',
    'PUT 0 201',
  ]);
});

test('a registry with the referrers API is asked by it, page for page, and no tag is written', async () => {
  using rig = openRig();
  const repository = suite.open(rig, 'referred');
  const config = makeBlob(2, 'config');
  const subject = makeManifest(config.descriptor);
  await repository.writeManifest('1', subject.bytes, subject.mediaType);
  for (const artifactType of ['x/a', 'x/b', 'x/a', 'x/c', 'x/d']) {
    const about = makeManifest(config.descriptor, { artifactType, subject: subject.descriptor });
    await repository.writeReferrer(about.bytes, about.mediaType);
  }
  const types = async (wanted?: string) =>
    (await repository.listReferrers(subject.descriptor.digest, wanted)).map(({ artifactType }) => artifactType);
  expect(await types()).toEqual(['x/a', 'x/b', 'x/c', 'x/d']);
  // This one does not filter by itself.
  expect(await types('x/c')).toEqual(['x/c']);
  expect(await repository.listTags()).toEqual(['1']);
});

test('tags are listed page for page', async () => {
  using rig = openRig();
  const repository = suite.open(rig, 'tagged');
  const { bytes, mediaType } = makeManifest(makeBlob(2).descriptor);
  for (const tag of ['1', '2', '3', '4', '5']) await repository.writeManifest(tag, bytes, mediaType);
  expect(await repository.listTags()).toEqual(['1', '2', '3', '4', '5']);
});
