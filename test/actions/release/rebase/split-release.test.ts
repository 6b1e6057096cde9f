import { describe, expect, it } from 'vitest';
import { splitRelease } from '../../../../src/actions/release/rebase/split-release.ts';
import { extendImage, type Image, scratchImage } from '../../../../src/oci/image/image.ts';
import { packLayer } from '../../../../src/oci/layer/layer.ts';
import { copySet, gatherImages } from '../../../../src/oci/layout/image-set.ts';
import { openLayout } from '../../../../src/oci/layout/layout.ts';
import { makeFolder } from '../../../support/images/tree.ts';

const layerOf = (name: string, createdBy = '') => {
  const bytes = Buffer.from(name);
  return packLayer([{ path: name, type: 'file', executable: false, content: { bytes, size: bytes.length } }], {
    createdBy,
  });
};
const scratch = scratchImage({ os: 'linux', architecture: 'amd64' });
const root = extendImage(scratch, [layerOf('root')], { created: '2023-01-01T00:00:00Z', config: { Cmd: ['sh'] } });

function putOn(base: Image, created: string): Image {
  const labels = { 'org.opencontainers.image.base.digest': base.manifestDigest };
  const layers = ['dependencies', 'application'].map((name) => layerOf(`${name} ${created}`, `gbuild layer: ${name}`));
  return extendImage(base, layers, { created, labels });
}

describe('a release', () => {
  it('is taken apart by the base that the store has, which also tells its settings', async () => {
    await using folder = await makeFolder();
    const image = putOn(root, '2024-01-01T00:00:00Z');
    await copySet(gatherImages([root]), folder.path, 'gbuild-base:x');
    const split = await splitRelease('hello:1.0.0', image.config, await openLayout(folder.path));
    expect(split).toEqual({
      baseDiffIds: root.config.rootfs.diff_ids,
      own: image.layers.map(({ diffId, createdBy }) => ({ diffId, createdBy })),
      oldBase: { Cmd: ['sh'] },
    });
  });

  it('is taken apart by its history without a base, also where that was an image of gbuild too', async () => {
    await using folder = await makeFolder();
    const base = putOn(root, '2024-01-01T00:00:00Z');
    const image = putOn(base, '2024-02-02T00:00:00Z');
    const split = await splitRelease('hello:1.0.0', image.config, await openLayout(folder.getPath('store')));
    expect([split.baseDiffIds, split.own.length, split.oldBase]).toEqual([base.config.rootfs.diff_ids, 2, undefined]);
  });

  it('of nothing that can be told from its base is refused', async () => {
    await using folder = await makeFolder();
    const refused = splitRelease('hello:1.0.0', root.config, await openLayout(folder.getPath('store')));
    await expect(refused).rejects.toThrowErrorMatchingInlineSnapshot(
      `[GbuildError: hello:1.0.0: nothing says which of its layers are the base, so they cannot be replaced]`,
    );
  });
});
