import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openStore } from '../../../../src/actions/store/store.ts';
import { formatCanonical } from '../../../../src/oci/json.ts';
import {
  contentOf,
  copyStore,
  describeMending,
  mend,
  names,
  oneImage,
  wholeStore,
} from '../../../support/store/mend-store-suite.ts';
import { verifyStore } from '../../../support/store/store-images.ts';
import { base, listFiles } from '../../../support/store/store-release.ts';

// Each file is damaged in each way and mended from one of the sources; the matrix tier has both.
describeMending((way, file, source) => (way + file) % 2 === source);

it('finds names again when the index and its copy are lost', async () => {
  const copy = copyStore('lost');
  for (const name of ['index.json', 'index.copy']) writeFileSync(join(copy.store.dir, name), '');
  await expect(openStore(copy.host).then((store) => store.readIndex())).rejects.toMatchObject({
    code: 'store-failed',
    suggestions: ['gbuild doctor --fix'],
  });
  const { mended } = await mend(copy);
  expect(mended).toEqual([
    'the index was lost: 3 names were found again in the images themselves, moved tags and provenance were not',
  ]);
  expect(await contentOf(copy.store)).toEqual({ ...wholeStore, names: names.slice(0, 3) });
  expect((await verifyStore(join(copy.host.dataDir))).length).toBe(3);
});

it('takes no empty store for one whose index is gone', async () => {
  const copy = copyStore('gone');
  rmSync(join(copy.store.dir, 'index.json'));
  expect((await (await openStore(copy.host)).readIndex()).manifests.length).toBe(4);
  for (const name of ['index.json', 'index.copy']) rmSync(join(copy.store.dir, name));
  await expect(openStore(copy.host)).rejects.toMatchObject({
    code: 'store-failed',
    suggestions: ['gbuild doctor --fix'],
  });
  await mend(copy);
  expect((await contentOf(copy.store)).names).toEqual(names.slice(0, 3));
});

it('believes no name or digest of the index that was edited, and says what was written', async () => {
  const copy = copyStore('edited');
  const file = join(copy.store.dir, 'index.json');
  const text = readFileSync(file, 'utf8');
  const before = await copy.store.readIndex();
  for (const [from, to] of [
    ['hello:1.0.0', 'hello:1.0.1'],
    [oneImage.manifestDigest, base.manifestDigest],
  ] as const) {
    writeFileSync(file, text.replaceAll(from, to));
    const byName = ({ manifests }: typeof before) => new Set(manifests.map((each) => formatCanonical(each).toString()));
    expect(byName(await copy.store.readIndex())).toEqual(byName(before));
  }
});

it('believes the index that an older gbuild wrote without seals and a copy', async () => {
  const copy = copyStore('older');
  const file = join(copy.store.dir, 'index.json');
  const index = JSON.parse(readFileSync(file, 'utf8'));
  for (const { annotations } of index.manifests) delete annotations['io.gbuild.seal'];
  writeFileSync(file, JSON.stringify({ ...index, manifests: index.manifests.slice(0, 2) }));
  expect((await copy.store.readIndex()).manifests.length).toBe(2);
  rmSync(join(copy.store.dir, 'index.copy'));
  expect((await copy.store.readIndex()).manifests.length).toBe(2);
});

it('names what nobody has, keeps what is whole, and forgets a release only when it is told to', async () => {
  const copy = copyStore('left');
  writeFileSync(copy.store.blobFile(oneImage.layers[0]!.diffId), '');
  const files = listFiles(copy.store.dir);
  const { left, mended } = await mend(copy);
  expect({ left, mended }).toMatchInlineSnapshot(`
    {
      "left": [
        {
          "detail": "a layer of hello:1.0.0, hello:latest (sha256:a9496bf4102d) is damaged, and none of the places asked has it",
          "todo": [
            "git checkout 0123456789ab && gbuild image --release 1.0.0",
            "gbuild doctor --fix --registry registry.example.com   # one that has hello:1.0.0",
            "gbuild doctor --fix --forget hello:1.0.0   # if nobody has it any more",
            "git checkout 0123456789ab && gbuild image --release 1.0.0",
            "gbuild doctor --fix --registry registry.example.com   # one that has hello:latest",
            "gbuild doctor --fix --forget hello:latest   # if nobody has it any more",
          ],
        },
      ],
      "mended": [],
    }
  `);
  expect(listFiles(copy.store.dir)).toEqual(files);
  await mend(copy, {}, ['hello:1.0.0', 'hello:latest']);
  expect(await contentOf(copy.store)).toEqual({ ...wholeStore, names: [names[0], names[2]] });
  await expect(mend(copy, {}, ['hello:1.0.0'])).rejects.toMatchObject({ code: 'usage' });
});

it('passes over a source that is away or has other bytes, and says so', async () => {
  const copy = copyStore('away');
  rmSync(copy.store.blobFile(oneImage.layers[0]!.diffId));
  const { left } = await mend(copy, { registries: ['127.0.0.1:1'] });
  expect(left.length).toBe(1);
  expect(existsSync(copy.store.blobFile(oneImage.layers[0]!.diffId))).toBe(false);
});
