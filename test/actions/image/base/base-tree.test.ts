import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readBaseTree } from '../../../../src/actions/image/base/base-tree.ts';
import { extendImage, scratchImage } from '../../../../src/oci/image/image.ts';
import { writeImage } from '../../../../src/oci/layout/copy.ts';
import { openLayout } from '../../../../src/oci/layout/layout.ts';
import { layerOf, layerOfHeaders } from '../../../support/images/made-image.ts';
import { makeFolder } from '../../../support/images/tree.ts';

it('is read from the layers once, and from the cache then; one that is damaged is read anew', async () => {
  await using folder = await makeFolder();
  const store = await openLayout(folder.getPath('store'));
  const layers = [
    layerOf('low', { 'usr/bin/node': 'node', 'etc/gone': '' }),
    layerOfHeaders(
      { path: 'bin', type: 'symlink', linkTarget: 'usr/bin' },
      { path: 'etc/.wh.gone' },
      { path: 'opt/x', mode: 0o4755, uid: 7 },
    ),
  ];
  const image = extendImage(scratchImage({ os: 'linux', architecture: 'amd64' }), layers, {
    created: '2024-01-01T00:00:00Z',
  });
  await writeImage(store, image);
  const host = { cacheDir: folder.getPath('cache') };
  const read = async () => [...((await readBaseTree(image, store, host)) ?? [])];
  const first = await read();
  expect(first.map(([path]) => path).sort()).toEqual(['bin', 'etc', 'opt/x', 'usr', 'usr/bin', 'usr/bin/node']);
  const file = join(host.cacheDir, 'base-trees', readdirSync(join(host.cacheDir, 'base-trees'))[0]!);
  const blob = store.blobFile(layers[0]!.diffId);
  const bytes = readFileSync(blob);
  writeFileSync(blob, Buffer.alloc(bytes.length));
  expect((await read()).map(([path]) => path)).toEqual(first.map(([path]) => path));
  rmSync(blob);
  expect(await readBaseTree(image, store, host)).toBeUndefined();
  await writeImage(store, image);
  const plain = (tree: typeof first) => tree.map(([path, { layer, ...rest }]) => [path, layer.diffId, rest]);
  expect(plain(await read())).toEqual(plain(first));
  const kept = readFileSync(file, 'utf8');
  writeFileSync(file, kept.replace('usr/bin/node', 'usr/bin/nope'));
  expect(plain(await read())).toEqual(plain(first));
  expect(readFileSync(file, 'utf8')).toBe(kept);
});
