import { expect, it } from 'vitest';
import { findFault, findManifestFault } from '../../../src/oci/image/find-fault.ts';
import type { ImageConfig, Manifest } from '../../../src/oci/spec.ts';
import { imageOf, layerOf } from '../../support/images/made-image.ts';

const { config, manifest } = imageOf([layerOf('app', { a: '1' })]);
const { diff_ids: diffIds } = config.rootfs;
const withConfig = (over: object) => findFault({ ...config, ...over } as ImageConfig, 2);
const withManifest = (over: object) => findManifestFault({ ...manifest, ...over } as Manifest, config);

it('a manifest and a config of our own have no fault', () => {
  expect([findManifestFault(manifest, config), withConfig({ config: null, history: null })]).toEqual([
    undefined,
    undefined,
  ]);
});

it.each([
  [undefined, 'its config has no list of diffIDs'],
  [{ rootfs: {} }, 'its config has no list of diffIDs'],
  [{ rootfs: { diff_ids: ['sha256:../x', diffIds[0]] } }, '"sha256:../x" in it is no digest'],
  [{ rootfs: { diff_ids: [null, diffIds[0]] } }, 'null in it is no digest'],
  [{ rootfs: { diff_ids: [diffIds[0]] } }, 'it has 2 layers for 1 diffIDs'],
  [{ config: { Env: 'A=1' } }, 'Env of its config is not what it should be'],
  [{ config: { Cmd: [1] } }, 'Cmd of its config is not what it should be'],
  [{ config: { Labels: { a: {} } } }, 'Labels of its config is not what it should be'],
  [{ history: [null] }, 'history of its config is not what it should be'],
  [{ history: [{ created_by: 1 }] }, 'history of its config is not what it should be'],
])('a config with %j is none', (over, fault) => {
  expect(over === undefined ? findFault(undefined as unknown as ImageConfig, 2) : withConfig(over)).toBe(fault);
});

it.each([
  [{ layers: undefined }, 'its manifest has no list of layers'],
  [{ layers: [null, null] }, 'undefined in it is no digest'],
  [{ layers: [manifest.layers[0], { digest: 'sha512:x' }] }, '"sha512:x" in it is no digest'],
])('a manifest with %j is none', (over, fault) => {
  expect(withManifest(over)).toBe(fault);
});
