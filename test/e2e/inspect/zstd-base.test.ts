import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import type { Image } from '../../../src/oci/image/image.ts';
import { type Descriptor, mediaTypes } from '../../../src/oci/spec.ts';
import { commitAll, openCli } from '../../support/cli/cli.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { makeForeign } from '../../support/images/base-index.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { openRig } from '../../support/registry/registry-rig.ts';

const engine = inject('engineHost');
const name = `e2e-zstd-${process.pid}`;
const cli = openCli({ engine, toolchain: inject('baseImage') });
let registry: TestRegistry;
let index: Descriptor;

beforeAll(async () => {
  registry = await startRegistry();
  index = await pushIndex(`${name}-base`, ['amd64', 'arm64']);
});
afterAll(async () => {
  for (const repository of [`${registry.host}/${name}-base`, name]) await removeRepository(engine, repository);
  await registry[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

/** An index of an image for each architecture, whose layers are zstd in two frames, as zstd:chunked has them. */
async function pushIndex(path: string, architectures: string[]): Promise<Descriptor> {
  using rig = openRig();
  const repository = rig.repository({ registry: registry.host, path });
  const put = async (bytes: Buffer, mediaType: string) => {
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    await repository.writeBlob(descriptor, (offset) => [bytes.subarray(offset)]);
    return descriptor;
  };
  const write = async (value: object, mediaType: string, tag?: string) => {
    const bytes = Buffer.from(JSON.stringify(value));
    const digest = digestOf(bytes);
    await repository.writeManifest(tag ?? digest, bytes, mediaType);
    return { mediaType, digest, size: bytes.length };
  };
  const pushOne = async ({ layers, configBytes }: Image) => {
    const packed: Descriptor[] = [];
    for (const { chunks } of layers) {
      const tar = Buffer.concat([...chunks()]);
      const frames = [tar.subarray(0, 700), tar.subarray(700)].map((part) => zstdCompressSync(part));
      packed.push(await put(Buffer.concat(frames), mediaTypes.layerZstd));
    }
    const config = await put(configBytes, mediaTypes.config);
    return write({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: packed }, mediaTypes.manifest);
  };
  const manifests: Descriptor[] = [];
  for (const architecture of architectures) {
    const platform = { os: 'linux', architecture };
    manifests.push({ ...(await pushOne(makeForeign(platform))), platform });
  }
  return write({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }, mediaTypes.index, '1');
}

test('an image of a registry with zstd layers is inspected', async () => {
  const reference = `${registry.host}/${name}-base:1`;
  const { exitCode, stdout, stderr } = await cli.run(['inspect', reference, '--platform', 'linux/arm64', '--files']);
  expect([exitCode, stdout], stderr).toEqual([0, expect.stringContaining('etc/machine')]);
});

test.each([
  ['a tag', () => '1'],
  ['a digest', () => index.digest],
])('a release stands on a base of zstd layers that bears %s, on an engine that cannot read them too', async (_, by) => {
  const base = `${registry.host}/${name}-base${by().includes(':') ? '@' : ':'}${by()}`;
  const image = `image:\n  base: ${base}\n  platforms: [linux/amd64, linux/arm64]\n  entrypoint: [/bin/true]\n`;
  const version = `1.0.${by().length}`;
  const cwd = cli.tasks(`${name}-${by().length}`, `${image}  layers: [{name: application, from: [src]}]\n`, {
    'src/a.txt': 'a\n',
  });
  expect((await cli.run(['lock'], { cwd })).exitCode).toBe(0);
  commitAll(cwd, 'locked');
  const first = await cli.run(['image', '--release', version], { cwd });
  expect(first.exitCode, first.stderr).toBe(0);
  const again = await cli.run(['image'], { cwd });
  expect([again.exitCode, again.stderr], again.stderr).toEqual([0, expect.not.stringContaining('pulling the base')]);
});
