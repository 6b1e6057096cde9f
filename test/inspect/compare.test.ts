import { describe, expect, it } from 'vitest';
import type { Package } from '../../src/attest/packages/package.ts';
import { comparePackages } from '../../src/inspect/compare-packages.ts';
import { compareTrees } from '../../src/inspect/compare-trees.ts';
import { compareImages } from '../../src/inspect/difference.ts';
import { formatDifference } from '../../src/inspect/format-difference.ts';
import { readImageTree } from '../../src/inspect/image-tree.ts';
import { matchLayers } from '../../src/inspect/match-layers.ts';
import type { Image } from '../../src/oci/image/image.ts';
import type { Layer } from '../../src/oci/layer/layer.ts';
import { readImage, writeImage } from '../../src/oci/layout/copy.ts';
import { openLayout } from '../../src/oci/layout/layout.ts';
import { imageOf, layerOf, layerOfHeaders } from '../support/images/made-image.ts';
import { makeFolder } from '../support/images/tree.ts';

async function pathsOf(...layers: Layer[]): Promise<Record<string, string>> {
  const tree = await readImageTree({ layers });
  return Object.fromEntries([...tree].map(([path, { type, size }]) => [path, `${type} ${size}`]));
}

async function differencesOf(before: Layer[], after: Layer[]): Promise<string[]> {
  const [old, now] = [await readImageTree({ layers: before }), await readImageTree({ layers: after })];
  return (await compareTrees(old, now)).map(({ path, change, what }) => [change, path, ...what].join(' '));
}

describe('the tree that a container sees', () => {
  it('has the upper layers over the lower ones, without what they take away', async () => {
    const lower = layerOf('lower', { 'a/one': '1', 'a/two': '22', 'b/one': '1', 'c/one': '1', d: 'kept' });
    const upper = layerOfHeaders(
      { path: 'a/.wh.one' },
      { path: './b/', type: 'directory' },
      { path: './b/.wh..wh..opq' },
      { path: './b/new', text: 'new' },
      { path: 'c', text: 'a file now' },
    );
    expect(await pathsOf(lower, upper)).toEqual({
      a: 'directory 0',
      'a/two': 'file 2',
      b: 'directory 0',
      'b/new': 'file 3',
      c: 'file 10',
      d: 'file 4',
    });
  });

  it('has hard links as the files they name, in the same layer or below', async () => {
    const lower = layerOfHeaders({ path: './real', text: 'text' });
    const upper = layerOfHeaders(
      { path: 'below', type: 'hardlink', linkTarget: 'real', size: 0 },
      { path: 'beside', type: 'hardlink', linkTarget: './below', size: 0 },
    );
    expect(await pathsOf(lower, upper)).toEqual({ real: 'file 4', below: 'file 4', beside: 'file 4' });
  });
});

describe('two trees', () => {
  it('differ in what was added, removed, or is of another content of the same size', async () => {
    const before = layerOf('app', { same: '1', other: '1', longer: '1', gone: '1' });
    const after = layerOf('app', { same: '1', other: '2', longer: '11', new: '1' });
    expect(await differencesOf([before], [after])).toEqual([
      'removed gone',
      'changed longer content',
      'added new',
      'changed other content',
    ]);
  });

  it('differ in types, modes, owners, targets and capabilities', async () => {
    const attributes = (text: string) => ({ records: { 'SCHILY.xattr.security.capability': Buffer.from(text) } });
    const of = (mode: number, uid: number, linkTarget: string, capability: string) =>
      layerOfHeaders(
        { path: 'mode', mode },
        { path: 'owner', uid },
        { path: 'link', type: 'symlink', linkTarget, mode },
        { path: 'ping', ...attributes(capability) },
        mode === 0o644 ? { path: 'type' } : { path: 'type', type: 'directory' },
      );
    expect(await differencesOf([of(0o644, 0, 'a', 'x')], [of(0o4755, 1, 'b', 'y')])).toEqual([
      'changed link target',
      'changed mode mode',
      'changed owner owner',
      'changed ping attributes',
      'changed type type',
    ]);
  });

  it('are equal however their files are spread over layers, and whatever their times are', async () => {
    const [a, b] = [layerOf('a', { a: '1' }), layerOf('b', { b: '2' })];
    const both = layerOfHeaders({ path: 'b', text: '2', mtime: 5 }, { path: 'a', text: '1', mtime: 7 });
    expect(await differencesOf([a, b], [both])).toEqual([]);
  });

  it('of layers on disk are compared in place', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('layout'));
    const onDisk = async (image: Image) => {
      await writeImage(layout, image);
      return (await readImage(layout, image.manifestDigest)).layers;
    };
    const before = await onDisk(imageOf([layerOf('app', { block: 'x'.repeat(512), c: '', other: 'one' })]));
    const after = await onDisk(imageOf([layerOf('app', { block: 'x'.repeat(512), d: '', other: 'two' })]));
    expect(await differencesOf(before, after)).toEqual(['removed c', 'added d', 'changed other content']);
  });
});

it('layers are paired by their bytes, then by their names', () => {
  const layer = (name: string, digit: string) => ({ name, diffId: `sha256:${digit.repeat(64)}` as const, size: 1 });
  const before = [layer('base', '1'), layer('gone', '2'), layer('app', '3')];
  const after = [layer('base', '1'), layer('new', '4'), layer('app', '5'), layer('renamed', '2')];
  const matches = matchLayers(before, after).map((match) => [match.change, match.before?.name, match.after?.name]);
  expect(matches).toEqual([
    ['same', 'base', 'base'],
    ['added', undefined, 'new'],
    ['changed', 'app', 'app'],
    ['same', 'gone', 'renamed'],
  ]);
});

const npm = (name: string, version: string): Package => ({
  type: 'npm',
  name,
  version,
  purl: `pkg:npm/${name}@${version}`,
  paths: [],
  layer: 'sha256:0',
});

it('packages are compared by all the versions that there are of each', () => {
  const before = [npm('both', '1'), npm('both', '2'), npm('gone', '1'), npm('same', '1')];
  const after = [npm('both', '2'), npm('both', '3'), npm('new', '1'), npm('same', '1')];
  expect(comparePackages(before, after)).toEqual([
    { type: 'npm', name: 'both', before: ['1', '2'], after: ['2', '3'] },
    { type: 'npm', name: 'gone', before: ['1'], after: [] },
    { type: 'npm', name: 'new', before: [], after: ['1'] },
  ]);
});

describe('a difference as text', () => {
  const compare = async (before: Image, after: Image, packages: Package[][] = [[], []]) =>
    formatDifference(
      await compareImages(
        { reference: 'hello:1', image: before, packages: packages[0]! },
        { reference: 'hello:2', image: after, packages: packages[1]! },
      ),
    ).replaceAll(/\b[0-9a-f]{12}\b/g, 'ID');

  it('says settings, layers, files and packages, and nothing that a terminal would obey', async () => {
    const config = (version: string) => ({ config: { Env: [`A=${version}`, 'B=1'], Entrypoint: ['run'] } });
    const before = imageOf([layerOf('app', { 'a\x1b[2J': '1', b: '1' })], config('1'));
    const after = imageOf([layerOf('app', { 'a\x1b[2J': '22', c: '1' })], {
      ...config('2'),
      labels: { 'x\u202e': 'y\n' },
    });
    expect(await compare(before, after, [[npm('pad', '1')], [npm('pad', '2')]])).toMatchInlineSnapshot(`
      "- hello:1 (ID)
      + hello:2 (ID)

      config
      ~ env A: 1, now 2
      ~ label x\\u202e: (none), now y\\n

      layers
      = the base: 2.0 kB
      ~ app: 4.1 kB, now 4.1 kB

      files: 1 added, 1 removed, 1 changed
      ~ a\\x1b[2J: 1 B, now 2 B
      - b (1 B)
      + c (1 B)

      packages
      ~ npm pad 1, now 2"
    `);
  });

  it('of one image under two names says that it is one', async () => {
    const image = imageOf([layerOf('app', { a: '1' })]);
    expect(await compare(image, image)).toBe('hello:1 and hello:2 are the same image (ID)');
  });

  it('of images whose history alone differs says that', async () => {
    const [before, after] = ['this', 'that'].map((comment) => imageOf([layerOf('app', { a: '1' })], { comment }));
    expect(await compare(before!, after!)).toContain('config\n~ history: one, now another\n');
  });

  it('of images that only were made at other times says so', async () => {
    const layers = [layerOf('app', { a: '1' })];
    const [before, after] = [imageOf(layers), imageOf(layers, { created: '2025-01-01T00:00:00Z' })];
    expect(await compare(before, after)).toMatchInlineSnapshot(`
      "- hello:1 (ID)
      + hello:2 (ID)

      config
      ~ created: 2024-05-06T07:08:09Z, now 2025-01-01T00:00:00Z

      layers
      = the base: 2.0 kB
      = app: 2.0 kB"
    `);
  });
});
