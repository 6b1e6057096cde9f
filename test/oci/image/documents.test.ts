import { expect, it } from 'vitest';
import {
  parseConfigBytes,
  parseDocument,
  parseIndexBytes,
  parseManifestBytes,
  parseWholeIndex,
} from '../../../src/oci/image/documents.ts';
import { imageOf, layerOf } from '../../support/images/made-image.ts';

const { config, configBytes, manifest, manifestBytes } = imageOf([layerOf('app', { a: '1' })]);
const { diff_ids: diffIds } = config.rootfs;
const layer = manifest.layers[0]!;
const blame = (fault: string) => new Error(fault);
const bytesOf = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

it('reads a manifest and a config of our own as they are', () => {
  expect(parseManifestBytes(manifestBytes, blame)).toEqual(manifest);
  expect(parseConfigBytes(configBytes, blame, manifest.layers.length)).toEqual(config);
});

it('reads a config that leaves out what a container runs', () => {
  expect(parseConfigBytes(bytesOf({ ...config, config: null, history: null }), blame).config).toEqual({});
});

it.each([
  ['{"rootfs":', 'its config is not a JSON object'],
  ['"text"', 'its config is not a JSON object'],
  [{ rootfs: {} }, 'its config has no list of diffIDs'],
  [{ rootfs: null }, 'its config has no list of diffIDs'],
  [{ rootfs: { diff_ids: ['sha256:../x', diffIds[0]] } }, '"sha256:../x" in it is not a digest'],
  [{ rootfs: { diff_ids: [null, diffIds[0]] } }, 'null in it is not a digest'],
  [{ rootfs: { diff_ids: [diffIds[0]] } }, 'it has 2 layers for 1 diffIDs'],
  [{ os: 1 }, 'the platform of its config is not what it should be'],
  [{ config: { Env: 'A=1' } }, 'Env of its config is not what it should be'],
  [{ config: { Cmd: [1] } }, 'Cmd of its config is not what it should be'],
  [{ config: { Labels: { a: {} } } }, 'Labels of its config is not what it should be'],
  [{ history: {} }, 'history of its config is not what it should be'],
  [{ history: [null] }, 'history of its config is not what it should be'],
  [{ history: [{ created_by: 1 }] }, 'history of its config is not what it should be'],
])('a config with %j is none', (over, fault) => {
  const bytes = bytesOf(typeof over === 'string' ? over : { ...config, ...over });
  expect(() => parseConfigBytes(bytes, blame, 2)).toThrow(new Error(fault));
});

it.each([
  ['<html>', 'it is not a JSON object'],
  [{ layers: undefined }, 'it has no list of layers'],
  [{ layers: [null] }, 'its layer 1 is not a descriptor with a mediaType, a digest and a size'],
  [
    { layers: [layer, { ...layer, digest: 'sha512:x' }] },
    'its layer 2 is not a descriptor with a mediaType, a digest and a size',
  ],
  [{ config: undefined }, 'its config is not a descriptor with a mediaType, a digest and a size'],
])('a manifest with %j is none', (over, fault) => {
  const bytes = bytesOf(typeof over === 'string' ? over : { ...manifest, ...over });
  expect(() => parseManifestBytes(bytes, blame)).toThrow(new Error(fault));
});

it('leaves out of an index what another algorithm names, unless it is to be written again', () => {
  const other = { ...layer, digest: `sha512:${'0'.repeat(128)}` };
  const bytes = bytesOf({ schemaVersion: 2, manifests: [layer, other], annotations: { of: 'tests' } });
  expect(parseIndexBytes(bytes, blame)).toEqual({
    schemaVersion: 2,
    manifests: [layer],
    annotations: { of: 'tests' },
  });
  expect(parseWholeIndex(bytes, blame).manifests).toEqual([layer, other]);
  expect(() => parseIndexBytes(bytesOf({ manifests: [layer, {}] }), blame)).toThrow(
    new Error('what it lists as number 2 is not a descriptor'),
  );
});

it('tells by their shape what bytes are', () => {
  const index = { schemaVersion: 2, manifests: [] };
  const kinds = [configBytes, manifestBytes, bytesOf(index)].map((bytes) => parseDocument(bytes, blame).kind);
  expect(kinds).toEqual(['config', 'manifest', 'index']);
  expect(() => parseDocument(bytesOf({ proof: true }), blame)).toThrow(new Error('it has no list of manifests'));
});
