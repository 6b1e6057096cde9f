import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { repackLayer } from '../../../src/oci/layer/repack.ts';
import { type TarHeader, writeTar } from '../../../src/oci/tar/tar.ts';
import { readTar } from '../../../src/oci/tar/untar.ts';
import { asStream, makeFolder, readByTarStream } from '../../support/images/tree.ts';

const keepAll = { mtime: 1000, exclude: () => false, createdBy: 'repacked' };
const plain = { mode: 0o644, uid: 0, gid: 0, mtime: 5, size: 0 };

async function readHeaders(chunks: Iterable<Uint8Array>): Promise<TarHeader[]> {
  const headers: TarHeader[] = [];
  for await (const { header } of readTar(asStream(chunks), 'a test')) headers.push(header);
  return headers;
}

describe('repackLayer', () => {
  it('gives one digest for two tars of the same tree in another order, at another time, by GNU tar and tar-stream', async () => {
    await using folder = await makeFolder();
    const tree = folder.getPath('tree');
    mkdirSync(`${tree}/b`, { recursive: true });
    writeFileSync(`${tree}/b/file`, 'x'.repeat(3000));
    linkSync(`${tree}/b/file`, `${tree}/b/again`);
    symlinkSync('nowhere', `${tree}/link`);
    writeFileSync(`${tree}/${'n'.repeat(200)}`, 'long');
    const digests: string[] = [];
    for (const [i, options] of [
      ['--format=gnu', '--sort=name'],
      ['--format=pax', '--sort=none'],
      ['--format=posix', '--mtime=@77', '--sort=name'],
    ].entries()) {
      utimesSync(`${tree}/b/file`, i * 1000, i * 500);
      const archive = folder.getPath(`${i}.tar`);
      execFileSync('tar', [...options, '--owner=0', '--group=0', '-cf', archive, '-C', tree, '.']);
      digests.push((await repackLayer(archive, keepAll)).diffId);
    }
    expect(new Set(digests).size).toBe(1);
  });

  it('keeps mode, owner, hard links, whiteouts, devices and capabilities, and nothing of time', async () => {
    await using folder = await makeFolder();
    const capability = Buffer.from('0100000200ff0000000000000000000000000000', 'hex');
    const given: { header: TarHeader; content?: { bytes: Buffer; size: number } }[] = [
      {
        header: {
          ...plain,
          path: './z',
          type: 'file',
          mode: 0o4755,
          uid: 3_000_000,
          gid: 42,
          size: 3,
          records: {
            'SCHILY.xattr.security.capability': capability,
            'SCHILY.xattr.user.note': Buffer.from('x'),
            atime: Buffer.from('1.5'),
          },
        },
        content: { bytes: Buffer.from('zzz'), size: 3 },
      },
      { header: { ...plain, path: 'a', type: 'hardlink', linkTarget: './z' } },
      { header: { ...plain, path: 'dev', type: 'character', device: { major: 1, minor: 3 } } },
      { header: { ...plain, path: 'etc/.wh.gone', type: 'file' } },
      { header: { ...plain, path: 'pipe', type: 'fifo' } },
    ];
    writeFileSync(folder.getPath('given.tar'), Buffer.concat([...writeTar(given)]));
    const layer = await repackLayer(folder.getPath('given.tar'), keepAll);
    const kept = { ...plain, mtime: 1000 };
    const file = {
      ...kept,
      mode: 0o4755,
      uid: 3_000_000,
      gid: 42,
      records: { 'SCHILY.xattr.security.capability': capability },
    };
    expect(await readHeaders(layer.chunks())).toEqual([
      { ...file, path: 'a', type: 'file', size: 3 },
      { ...kept, path: 'dev', type: 'character', device: { major: 1, minor: 3 } },
      { ...kept, path: 'etc/.wh.gone', type: 'file' },
      { ...kept, path: 'pipe', type: 'fifo' },
      { ...file, path: 'z', type: 'hardlink', linkTarget: 'a' },
    ]);
    expect(digestOf(Buffer.concat([...layer.chunks()]))).toBe(layer.diffId);
  });

  it('drops what is excluded with all below it, and lets a hard link stand in for a dropped file', async () => {
    await using folder = await makeFolder();
    const tar = pack();
    for (const name of ['cache/deep/one', 'cache/two', 'keep']) tar.entry({ name }, name);
    tar.entry({ name: 'link', type: 'link', linkname: 'cache/two' });
    tar.entry({ name: 'keep' }, 'the last one wins');
    tar.finalize();
    const exclude = (path: string) => path === 'cache/two' || path === 'cache/deep/one';
    writeFileSync(folder.getPath('given.tar'), await buffer(tar.pipe(new PassThrough())));
    const layer = await repackLayer(folder.getPath('given.tar'), { ...keepAll, exclude });
    expect((await readByTarStream(layer.chunks())).map(({ path, type, text }) => [path, type, text])).toEqual([
      ['keep', 'file', 'the last one wins'],
      ['link', 'file', 'cache/two'],
    ]);
  });

  it('rewrites the content of a file that is named, and reads contents again each time', async () => {
    await using folder = await makeFolder();
    const file = { ...plain, type: 'file' as const };
    const contents = ['short', 'y'.repeat(3 << 20), 'z'].map((text) => ({
      bytes: Buffer.from(text),
      size: text.length,
    }));
    const items = contents.map((content, i) => ({ header: { ...file, path: `f${i}`, size: content.size }, content }));
    const tarFile = folder.getPath('given.tar');
    writeFileSync(tarFile, Buffer.concat([...writeTar(items)]));
    const rewrite = { f0: (bytes: Buffer) => Buffer.from(`${bytes.toString()} and longer`) };
    const layer = await repackLayer(tarFile, { ...keepAll, rewrite });
    const texts = (await readByTarStream(layer.chunks())).map(({ text }) => text);
    expect(texts).toEqual(['short and longer', 'y'.repeat(3 << 20), 'z']);
    writeFileSync(tarFile, readFileSync(tarFile).fill('x', 2048, 2049));
    expect(() => [...layer.chunks()]).toThrow('a file was rewritten between hashing and sending its layer');
  });

  it('says so when the file is no tar or ends too early', async () => {
    await using folder = await makeFolder();
    const whole = Buffer.concat([
      ...writeTar([
        { header: { ...plain, path: 'a', type: 'file', size: 4 }, content: { bytes: Buffer.from('aaaa'), size: 4 } },
      ]),
    ]);
    const messages: string[] = [];
    for (const bytes of [whole.subarray(0, 514), whole.subarray(0, 1300), Buffer.alloc(1024, 'x')]) {
      writeFileSync(folder.getPath('given.tar'), bytes);
      await repackLayer(folder.getPath('given.tar'), keepAll).catch((cause: Error) => messages.push(cause.message));
    }
    expect(messages).toMatchInlineSnapshot(`
      [
        "the layer to repack is not a readable tar archive: it ends in the middle",
        "the layer to repack is not a readable tar archive: it ends in the middle",
        "the layer to repack is not a readable tar archive: a header has a wrong checksum",
      ]
    `);
  });
});

describe('writeTar', () => {
  it('says sizes beyond 8 GiB in a pax record that GNU tar understands', () => {
    const header: TarHeader = { ...plain, path: 'huge', type: 'file', size: 9 * 2 ** 30 };
    const input = Buffer.concat([...writeTar([{ header }])]);
    const { stdout } = spawnSync('tar', ['-tvf', '-'], { input, encoding: 'utf8' });
    expect(stdout).toContain(`${9 * 2 ** 30}`);
  });
});
