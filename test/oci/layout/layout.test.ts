import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { withLock } from '../../../src/fs/lock-file.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { extendImage, scratchImage } from '../../../src/oci/image/image.ts';
import { packLayer } from '../../../src/oci/layer/layer.ts';
import { mendLayers, readImage, writeDockerArchive, writeImage } from '../../../src/oci/layout/copy.ts';
import { copySet, gatherImages, writeSet } from '../../../src/oci/layout/image-set.ts';
import { openLayout } from '../../../src/oci/layout/layout.ts';
import { annotationKeys, type Descriptor, mediaTypes } from '../../../src/oci/spec.ts';
import { file, goldenTree, makeFolder } from '../../support/images/tree.ts';

const writer = new URL('layout-writer.ts', import.meta.url);
const image = extendImage(
  scratchImage({ os: 'linux', architecture: 'amd64' }),
  [packLayer(goldenTree, { createdBy: 'app' })],
  {
    created: '2024-05-06T07:08:09Z',
  },
);

function startWriter(...args: string[]): ChildProcess {
  return fork(writer, args, { execArgv: ['--disable-warning=ExperimentalWarning'] });
}

function describeText(text: string, refName: string): Descriptor {
  const annotations = { [annotationKeys.refName]: refName };
  return { mediaType: mediaTypes.manifest, digest: digestOf(Buffer.from(text)), size: text.length, annotations };
}

function listFiles(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  const digests = files.map((file) => [file.name, digestOf(readFileSync(`${file.parentPath}/${file.name}`))] as const);
  return Object.fromEntries(digests.sort());
}

describe('a layout', () => {
  it('is made where there is nothing or an empty folder, and opened again', async () => {
    await using folder = await makeFolder();
    for (const dir of [folder.path, folder.getPath('new/deep'), folder.path]) {
      await openLayout(dir).catch(() => {});
      if (dir !== folder.path) expect((await (await openLayout(dir)).readIndex()).manifests).toEqual([]);
    }
    expect(readFileSync(folder.getPath('new/deep/oci-layout'), 'utf8')).toBe('{"imageLayoutVersion":"1.0.0"}');
  });

  it('refuses a folder that holds something else, and leaves it alone', async () => {
    await using folder = await makeFolder();
    writeFileSync(folder.getPath('thesis.tex'), '');
    await expect(openLayout(folder.path)).rejects.toThrowError(expect.objectContaining({ code: 'output-refused' }));
    expect(readdirSync(folder.path)).toEqual(['thesis.tex']);
  });

  it('keeps no blob that is not what its digest says, and no trace of it', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('store'));
    const digest = digestOf(Buffer.from('right'));
    await expect(layout.writeBlob(digest, 5, [Buffer.from('wrong')])).rejects.toThrowError(
      expect.objectContaining({ code: 'store-failed' }),
    );
    expect(layout.hasBlob(digest)).toBe(false);
    expect(readdirSync(folder.getPath('store/blobs/sha256'))).toEqual([]);
  });

  it('takes a file in by moving it, also from another file system, and leaves what it has', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('layout'));
    const shm = mkdtempSync('/dev/shm/gbuild-layout-');
    try {
      for (const hostFile of [folder.getPath('near'), `${shm}/far`]) {
        const bytes = Buffer.from(`bytes of ${hostFile}`);
        const digest = digestOf(bytes);
        writeFileSync(hostFile, bytes);
        await layout.adoptBlob(digest, bytes.length, hostFile);
        expect(await layout.readBlob(digest)).toEqual(bytes);
        expect(existsSync(hostFile)).toBe(hostFile.startsWith(shm));
        writeFileSync(hostFile, 'others');
        await layout.adoptBlob(digest, bytes.length, hostFile);
        expect(await layout.readBlob(digest)).toEqual(bytes);
      }
      await expect(layout.adoptBlob(digestOf(Buffer.from('x')), 1, folder.getPath('nothing'))).rejects.toThrow();
    } finally {
      rmSync(shm, { recursive: true });
    }
  });

  it('finds a damaged blob when it is read', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('store'));
    const digest = digestOf(Buffer.from('right'));
    await layout.writeBlob(digest, 5, [Buffer.from('right')]);
    expect((await layout.readBlob(digest)).toString()).toBe('right');
    writeFileSync(layout.blobFile(digest), 'wrong');
    await expect(layout.readBlob(digest)).rejects.toThrowError(/is damaged/);
  });

  it('replaces a name by putManifest, keeps it by addManifest, drops it by removeManifest', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('store'));
    const [one, two] = [describeText('one', 'a:1'), describeText('two', 'a:1')];
    await layout.putManifest(one);
    expect(await layout.addManifest(two)).toEqual(one);
    await layout.putManifest(two);
    expect(await layout.findManifest('a:1')).toEqual(two);
    await layout.removeManifest('a:1');
    expect((await layout.readIndex()).manifests).toEqual([]);
  });

  it('says which index cannot be read', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('store'));
    writeFileSync(folder.getPath('store/index.json'), '{"manifests":');
    await expect(layout.readIndex()).rejects.toThrowError(
      expect.objectContaining({ code: 'store-failed', message: expect.stringContaining('index.json') }),
    );
  });
});

describe('writers of one layout at once', () => {
  it('lose nothing of each other', async () => {
    await using folder = await makeFolder();
    const dir = folder.getPath('store');
    const writers = ['a', 'b', 'c'].map((name) => startWriter(dir, name, '8'));
    const codes = await Promise.all(writers.map(async (child) => (await once(child, 'exit'))[0]));
    expect(codes).toEqual([0, 0, 0]);
    expect((await (await openLayout(dir)).readIndex()).manifests).toHaveLength(24);
    expect(readdirSync(dir).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
  }, 30_000);

  it('take over the lock of a killed one and sweep what it left', async () => {
    await using folder = await makeFolder();
    const dir = folder.getPath('store');
    const child = startWriter(dir, 'x', 'hang');
    await once(child, 'message');
    const layout = await openLayout(dir);
    expect(await layout.sweep()).toEqual([]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await layout.putManifest(describeText('one', 'a:1'));
    expect((await layout.sweep()).length).toBe(2);
    expect(readdirSync(dir).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    expect(readdirSync(`${dir}/blobs/sha256`)).toEqual([]);
  }, 30_000);

  it('take over a lock that names nobody, and a folder in its place', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('store'));
    const lock = folder.getPath('store/index.lock');
    for (const damage of ['', '12-', '{"pid":1}/../x', undefined]) {
      if (damage === undefined) mkdirSync(`${lock}/below`, { recursive: true });
      else writeFileSync(lock, damage);
      await layout.putManifest(describeText('one', 'a:1'));
      expect(readdirSync(layout.dir).sort()).toEqual(['blobs', 'index.json', 'oci-layout']);
    }
  });

  it('hold the lock one at a time, also when all find it dead', async () => {
    await using folder = await makeFolder();
    const child = startWriter(folder.getPath('store'), 'x', 'hang');
    await once(child, 'message');
    child.kill('SIGKILL');
    await once(child, 'exit');
    let holders = 0;
    let most = 0;
    const hold = () =>
      withLock(folder.getPath('store/index.lock'), async () => {
        most = Math.max(most, ++holders);
        await new Promise((resolve) => setTimeout(resolve, 2));
        holders--;
      });
    await Promise.all(Array.from({ length: 20 }, hold));
    expect(most).toBe(1);
  }, 30_000);
});

describe('an image in a layout', () => {
  it('is read back whole', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('store'));
    await writeImage(layout, image);
    const read = await readImage(layout, image.manifestDigest);
    expect([read.id, read.manifest, read.layers.map(({ diffId, createdBy }) => [diffId, createdBy])]).toEqual([
      image.id,
      image.manifest,
      image.layers.map(({ diffId, createdBy }) => [diffId, createdBy]),
    ]);
  });

  it('is copied out byte-stable, as a layout and as a docker archive', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('store'));
    await writeImage(layout, image);
    const stored = await readImage(layout, image.manifestDigest);
    for (const name of ['one', 'two']) {
      await copySet(gatherImages([stored]), folder.getPath(name), '1.0.1');
      await writeDockerArchive(stored, folder.getPath(`${name}.tar`), ['hello:1.0.1']);
    }
    expect(listFiles(folder.getPath('one'))).toEqual(listFiles(folder.getPath('two')));
    const [one, two] = ['one.tar', 'two.tar'].map((name) => digestOf(readFileSync(folder.getPath(name))));
    expect(one).toBe(two);
    expect(one).toMatchInlineSnapshot(`"sha256:b96b222143a6df021c69203a3e609cb0acba8e48ee7d4f906776155631a65533"`);
  });

  it('is not read when a layer is gone', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('store'));
    await writeImage(layout, image);
    rmSync(layout.blobFile(image.layers[0]!.diffId));
    await expect(readImage(layout, image.manifestDigest)).rejects.toThrowError(/the layer sha256:\w+ is not in/);
  });

  it('is not copied out when a layer was damaged', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('store'));
    await writeImage(layout, image);
    const blob = layout.blobFile(image.layers[0]!.diffId);
    const bytes = readFileSync(blob);
    bytes[600] = bytes[600]! ^ 1;
    writeFileSync(blob, bytes);
    const stored = await readImage(layout, image.manifestDigest);
    const expected = /the blob sha256:\w+ in ".*" is damaged/;
    await expect(copySet(gatherImages([stored]), folder.getPath('copy'), '1')).rejects.toThrowError(expected);
    await expect(writeDockerArchive(stored, folder.getPath('copy.tar'), ['a:1'])).rejects.toThrowError(expected);
  });

  it('has its damaged blobs written again: small ones at once, layers once they were read', async () => {
    await using folder = await makeFolder();
    const layout = await openLayout(folder.getPath('store'));
    const large = packLayer([file('large', 'x'.repeat(3 << 20))], { createdBy: 'large' });
    const set = gatherImages([extendImage(image, [...image.layers, large], { created: '2024-05-06T07:08:09Z' })]);
    expect(await writeSet(layout, set)).toMatchObject({ blobs: 4 });
    for (const digest of [large.diffId, set.images[0]!.id]) {
      const bytes = readFileSync(layout.blobFile(digest));
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(layout.blobFile(digest), bytes);
    }
    const { believed, blobs } = await writeSet(layout, set);
    expect([believed.map(({ diffId }) => diffId), blobs]).toEqual([[image.layers[0]!.diffId, large.diffId], 1]);
    expect([await layout.isWhole(large.diffId), await layout.isWhole(set.images[0]!.id)]).toEqual([false, true]);
    expect((await mendLayers(layout, believed)).map(({ diffId }) => diffId)).toEqual([large.diffId]);
    expect([await layout.isWhole(large.diffId), await mendLayers(layout, believed)]).toEqual([true, []]);
  });

  it('refuses to be copied into a folder that holds something else', async () => {
    await using folder = await makeFolder();
    mkdirSync(folder.getPath('other'));
    writeFileSync(folder.getPath('other/file'), '');
    await expect(copySet(gatherImages([image]), folder.getPath('other'), '1')).rejects.toThrowError(
      /holds something that is not an OCI layout/,
    );
  });
});
