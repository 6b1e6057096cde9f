import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unpackTree } from '../../../src/actions/inspect/unpack-tree.ts';
import { makeFolderWhole } from '../../../src/fs/new-folder.ts';
import { type ExtractPlan, planExtract } from '../../../src/inspect/extract/plan-extract.ts';
import { readImageTree } from '../../../src/inspect/image-tree.ts';
import { type Layer, layerOfKnownFile } from '../../../src/oci/layer/layer.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { layerOfHeaders } from '../../support/images/made-image.ts';
import { makeFolder } from '../../support/images/tree.ts';

type Header = Parameters<typeof layerOfHeaders>[0];

const isRoot = process.getuid?.() === 0;
let folder: Awaited<ReturnType<typeof makeFolder>>;
let count = 0;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

/** Layers as withImage gives them: on disk. */
function layersOf(...layers: Header[][]): Layer[] {
  return layers.map((headers) => {
    const layer = layerOfHeaders(...headers);
    count += 1;
    const hostFile = join(folder.path, `${count}.tar`);
    writeFileSync(hostFile, Buffer.concat([...layer.chunks()]));
    return layerOfKnownFile(hostFile, layer);
  });
}

const never = { ask: new AbortController().signal, kill: new AbortController().signal };

interface Extracted {
  dir: string;
  plan: ExtractPlan;
}

async function extract(layers: Header[][], path?: string): Promise<Extracted> {
  const plan = planExtract(await readImageTree({ layers: layersOf(...layers) }), path);
  count += 1;
  const dir = join(folder.path, `out-${count}`);
  await makeFolderWhole(dir, (made) => unpackTree(plan, made, { isRoot, stop: never, onWritten: () => {} }));
  return { dir, plan };
}

/** All paths below a folder; Node's own recursive listing follows links. */
function walk(dir: string, above = ''): string[] {
  return readdirSync(join(dir, above), { withFileTypes: true }).flatMap((entry) => {
    const path = join(above, entry.name);
    return entry.isDirectory() ? [path, ...walk(dir, path)] : [path];
  });
}

/** Each path with what it is, and of a file its text. */
function list(dir: string): Record<string, string> {
  const found = walk(dir)
    .sort()
    .map((path): [string, string] => {
      const stats = lstatSync(join(dir, path));
      if (stats.isSymbolicLink()) return [path, `-> ${readlinkSync(join(dir, path))}`];
      return [path, stats.isDirectory() ? '/' : readFileSync(join(dir, path), 'utf8')];
    });
  return Object.fromEntries(found);
}

const dirOf = (path: string): Header => ({ path, type: 'directory', mode: 0o755 });
const linkTo = (path: string, linkTarget: string): Header => ({ path, type: 'symlink', mode: 0o777, linkTarget });

test('upper layers are put over lower ones, and what they take away is not written', async () => {
  const { dir, plan } = await extract([
    [
      { path: 'etc/motd', text: 'hello' },
      { path: 'etc/gone', text: 'x' },
      { path: 'var/cache/a', text: 'x' },
      { path: 'var/cache/deep/b', text: 'x' },
      linkTo('lib', 'usr/lib'),
      dirOf('usr/lib'),
      { path: 'was-folder/a', text: 'x' },
      { path: 'was-file', text: 'x' },
    ],
    [
      { path: 'etc/.wh.gone' },
      { path: 'var/cache/.wh..wh..opq' },
      { path: 'var/cache/new', text: 'new' },
      { path: 'lib/libc.so', text: 'libc' },
      { path: 'was-folder', text: 'now a file' },
      dirOf('was-file'),
      { path: 'was-file/inside', text: 'now a folder' },
      { path: 'etc/motd', text: 'hello again' },
    ],
  ]);
  expect(list(dir)).toEqual({
    etc: '/',
    'etc/motd': 'hello again',
    lib: '-> usr/lib',
    usr: '/',
    'usr/lib': '/',
    'usr/lib/libc.so': 'libc',
    var: '/',
    'var/cache': '/',
    'var/cache/new': 'new',
    'was-file': '/',
    'was-file/inside': 'now a folder',
    'was-folder': 'now a file',
  });
  expect([plan.skipped, plan.bytes]).toEqual([[], 'hello again'.length + 3 + 4 + 10 + 12]);
});

test('modes, times and owners are the image’s, also of folders that nobody may write in', async () => {
  const { dir } = await extract([
    [
      { path: 'shut', type: 'directory', mode: 0o555, mtime: 1000, uid: 7, gid: 8 },
      { path: 'shut/file', mode: 0o400, mtime: 2000, uid: 3_000_000, gid: 8, text: 'x' },
      { path: 'shut/link', type: 'symlink', mode: 0o777, linkTarget: 'file', uid: 7, gid: 9 },
      { path: 'tmp', type: 'directory', mode: 0o1777, mtime: 3000 },
    ],
  ]);
  const seen = (path: string) => {
    const { mode, mtimeMs, uid, gid } = lstatSync(join(dir, path));
    return { mode: (mode & 0o7777).toString(8), time: mtimeMs / 1000, ...(isRoot && { uid, gid }) };
  };
  const owner = (uid: number, gid: number) => (isRoot ? { uid, gid } : {});
  expect(seen('shut')).toEqual({ mode: '555', time: 1000, ...owner(7, 8) });
  expect(seen('shut/file')).toEqual({ mode: '400', time: 2000, ...owner(3_000_000, 8) });
  expect(seen('shut/link')).toMatchObject(owner(7, 9));
  expect(seen('tmp')).toEqual({ mode: '1777', time: 3000, ...owner(0, 0) });
  if (!isRoot) chmodSync(join(dir, 'shut'), 0o755);
});

test('setuid and setgid bits and capabilities are left out, and the files named', async () => {
  const capability = { 'SCHILY.xattr.security.capability': Buffer.from('0100000200200000', 'hex') };
  const { dir, plan } = await extract([
    [
      { path: 'bin/su', mode: 0o4755, text: 'x' },
      { path: 'bin/wall', mode: 0o2755, text: 'x' },
      { path: 'bin/ping', mode: 0o755, text: 'x', records: capability },
      { path: 'bin/ls', mode: 0o755, text: 'x' },
    ],
  ]);
  expect(plan.withoutPrivileges).toEqual(['bin/su', 'bin/wall', 'bin/ping']);
  expect(['su', 'wall'].map((name) => (lstatSync(join(dir, 'bin', name)).mode & 0o7777).toString(8))).toEqual([
    '755',
    '755',
  ]);
});

test('a hard link is one file with what it names, also through a folder’s link and across layers', async () => {
  const { dir, plan } = await extract([
    [{ path: 'usr/bin/a', text: 'content' }, linkTo('bin', 'usr/bin')],
    [
      { path: 'b', type: 'hardlink', linkTarget: 'bin/a' },
      { path: 'c', type: 'hardlink', linkTarget: '/b' },
    ],
  ]);
  expect(['b', 'c'].map((path) => readFileSync(join(dir, path), 'utf8'))).toEqual(['content', 'content']);
  expect(new Set(['usr/bin/a', 'b', 'c'].map((path) => lstatSync(join(dir, path)).ino)).size).toBe(1);
  expect(plan.bytes).toBe('content'.length);
});

test.each<[what: string, headers: Header[], skipped: Record<string, string>]>([
  [
    'leads upwards',
    [{ path: '../evil' }, { path: 'a/../../evil2' }],
    {
      '../evil': 'its name leads out of the image',
      '../evil2': 'its name leads out of the image',
    },
  ],
  [
    'is a hard link to outside',
    [
      { path: 'h', type: 'hardlink', linkTarget: '../../../etc/passwd' },
      { path: 'i', type: 'hardlink', linkTarget: '/etc/passwd' },
    ],
    {
      h: 'a hard link to ../../../etc/passwd, which the image does not have',
      i: 'a hard link to /etc/passwd, which the image does not have',
    },
  ],
  [
    'is a device or a pipe',
    [
      { path: 'c', type: 'character', device: { major: 1, minor: 3 } },
      { path: 'b', type: 'block', device: { major: 8, minor: 0 } },
      { path: 'p', type: 'fifo' },
    ],
    {
      c: 'a device',
      b: 'a device',
      p: 'a named pipe',
    },
  ],
  ['is below a file', [{ path: 'a' }, { path: 'a/b/c' }], { 'a/b/c': 'a is not a folder' }],
  ['is below a link that came after it', [{ path: 'a/b' }, linkTo('a', '/etc')], { 'a/b': 'a is not a folder' }],
  [
    'has a name that is too long',
    [{ path: `x/${'n'.repeat(256)}` }],
    { [`x/${'n'.repeat(256)}`]: 'its name is too long' },
  ],
  ['has a name with a zero', [{ path: 'a\0b' }], { 'a\0b': 'no file can have its name' }],
  ['is a link without a target', [{ path: 'l', type: 'symlink' }], { l: 'a link without a target' }],
  ['is a mark of aufs', [{ path: '.wh..wh.plnk/1.2' }], { '.wh..wh.plnk/1.2': 'a mark of a storage driver' }],
])('a path that %s is not written, and named', async (_, headers, skipped) => {
  const { dir, plan } = await extract([[...headers, { path: 'good', text: 'good' }]]);
  expect(Object.fromEntries(plan.skipped.map(({ path, why }) => [path, why]))).toEqual(skipped);
  expect(list(dir)).toMatchObject({ good: 'good' });
  for (const path of Object.keys(skipped)) if (!path.includes('\0')) expect(existsSync(join(dir, path))).toBe(false);
});

test('a path that no container can have is refused with its layer', async () => {
  const { code, message } = await errorOf(() => extract([[{ path: 'a/'.repeat(100_000) }]]));
  expect([code, message.replace(/[0-9a-f]{64}/, 'HEX')]).toMatchInlineSnapshot(`
    [
      "store-failed",
      "the layer sha256:HEX has a path of 199999 characters: "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/"...",
    ]
  `);
});

test('a link replaced by a folder leads nowhere', async () => {
  const outside = join(folder.path, 'outside');
  mkdirSync(outside);
  const { dir } = await extract([
    [linkTo('d', outside), linkTo('e', '../outside')],
    [dirOf('d'), { path: 'd/file', text: 'inside' }, { path: 'e/file', text: 'inside' }],
  ]);
  expect(readdirSync(outside)).toEqual([]);
  expect(list(dir)).toMatchObject({ d: '/', 'd/file': 'inside', e: '-> outside', 'outside/file': 'inside' });
});

test('links lead to what they lead to in a container, and stay in the folder', async () => {
  const { dir, plan } = await extract([
    [
      { path: 'usr/bin/java-21', text: 'java' },
      linkTo('usr/bin/java', '/etc/alternatives/java'),
      linkTo('etc/alternatives/java', '/usr/bin/java-21'),
      linkTo('usr/bin/j', 'java-21'),
      linkTo('usr/up', '../../../../etc/alternatives/java'),
      linkTo('a/b/c/root', '../../..'),
      linkTo('a/b/c/sly', 'root/../usr/bin/java-21'),
      linkTo('a/b/c/passwd', 'root/../../etc/passwd'),
      linkTo('root', '/'),
      linkTo('usr/loop', 'loop'),
    ],
  ]);
  expect(list(dir)).toMatchObject({
    'usr/bin/java': '-> ../../etc/alternatives/java',
    'etc/alternatives/java': '-> ../../usr/bin/java-21',
    'usr/bin/j': '-> java-21',
    'usr/up': '-> ../etc/alternatives/java',
    'a/b/c/root': '-> ../../..',
    'a/b/c/sly': '-> ../../../usr/bin/java-21',
    'a/b/c/passwd': '-> ../../../etc/passwd',
    root: '-> .',
    'usr/loop': '-> loop',
  });
  for (const path of ['usr/bin/java', 'usr/up', 'a/b/c/sly'])
    expect(realpathSync(join(dir, path))).toBe(realpathSync(join(dir, 'usr/bin/java-21')));
  expect(plan.relativeLinks).toBe(6);
});

test('one path is written at its place, with the folders above as they are', async () => {
  const layers: Header[][] = [
    [
      { path: 'opt', type: 'directory', mode: 0o700 },
      { path: 'opt/app/a', text: 'a' },
      { path: 'opt/app/deep/b', text: 'b' },
      { path: 'opt/application', text: 'not this' },
      { path: 'etc/motd', text: 'not this' },
    ],
  ];
  const { dir } = await extract(layers, 'opt/app');
  expect(list(dir)).toEqual({ opt: '/', 'opt/app': '/', 'opt/app/a': 'a', 'opt/app/deep': '/', 'opt/app/deep/b': 'b' });
  expect(lstatSync(join(dir, 'opt')).mode & 0o777).toBe(0o700);
  expect(list((await extract(layers, 'etc/motd')).dir)).toEqual({ etc: '/', 'etc/motd': 'not this' });
});

const names = fc.constantFrom('a', 'b', 'c', '..', '.', 'out', '.wh.a', '.wh..wh..opq', 'x\u001b[2J', 'n\nm');
const hostilePath = fc
  .tuple(fc.constantFrom('', '/', './', '../'), fc.array(names, { minLength: 1, maxLength: 4 }))
  .map(([start, parts]) => `${start}${parts.join('/')}`);
const hostileHeader: fc.Arbitrary<Header> = fc.record({
  path: hostilePath,
  type: fc.constantFrom('file', 'directory', 'symlink', 'hardlink', 'character', 'fifo', 'symlink', 'file'),
  linkTarget: fc.oneof(hostilePath, fc.constant('OUTSIDE'), fc.constant('OUTSIDE/victim')),
  mode: fc.constantFrom(0o644, 0o4755, 0o000, 0o7777),
  uid: fc.constantFrom(0, 1000, 5_000_000),
  text: fc.constantFrom('', 'text'),
});

test('whatever the layers hold, nothing is written outside of the folder, and no link leads out of it', async () => {
  const outside = join(folder.path, 'sentinel');
  mkdirSync(outside);
  writeFileSync(join(outside, 'victim'), 'untouched');
  const before = readdirSync(folder.path).filter((name) => !/^\d+\.tar$|^out-/.test(name));
  const header = hostileHeader.map((each): Header => {
    const { text = '', type, linkTarget = '', ...rest } = each;
    const isLink = type === 'symlink' || type === 'hardlink';
    return {
      ...rest,
      type: type ?? 'file',
      ...(type === 'file' && { text }),
      ...(isLink && { linkTarget: linkTarget.replace('OUTSIDE', outside) }),
    };
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(header, { maxLength: 8 }), { minLength: 1, maxLength: 3 }), async (layers) => {
      const { dir, plan } = await extract(layers);
      for (const path of walk(dir)) {
        const stats = lstatSync(join(dir, path));
        expect(stats.isFile() || stats.isDirectory() || stats.isSymbolicLink()).toBe(true);
        expect(stats.isSymbolicLink() || (stats.mode & 0o6000) === 0).toBe(true);
        const real = realPathOf(join(dir, path));
        if (real !== undefined) expect(`${real}/`.startsWith(`${realpathSync(dir)}/`), `${path} is ${real}`).toBe(true);
      }
      const written = plan.folders.length + plan.files.length + plan.links.length;
      expect(walk(dir).length).toBe(written);
      expect(readdirSync(folder.path).filter((name) => !/^\d+\.tar$|^out-\d+$/.test(name))).toEqual(before);
      expect(list(outside)).toEqual({ victim: 'untouched' });
    }),
    { numRuns: 150 },
  );
});

function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

test('a stop in the middle of a file leaves nothing', async () => {
  const [layer] = layersOf([{ path: 'a/huge', text: 'x'.repeat(8 << 20) }]);
  const plan = planExtract(await readImageTree({ layers: [layer!] }));
  const stop = new AbortController();
  const dir = join(folder.path, 'made/by/us');
  const work = makeFolderWhole(dir, (made) =>
    unpackTree(plan, made, {
      isRoot,
      stop: { ...never, ask: stop.signal },
      onWritten: (bytes) => {
        if (bytes > 2 << 20) stop.abort(new Error('stopped'));
      },
    }),
  );
  await expect(work).rejects.toThrow('stopped');
  expect(existsSync(join(folder.path, 'made'))).toBe(false);
});

test('a failure of the file system is passed on, and leaves nothing', async () => {
  const deep = Array.from({ length: 16 }, () => 'n'.repeat(250)).join('/');
  const before = readdirSync(folder.path).length;
  await expect(
    extract([
      [
        { path: 'first', text: 'x' },
        { path: deep, text: 'x' },
      ],
    ]),
  ).rejects.toThrow('ENAMETOOLONG');
  expect(readdirSync(folder.path).length).toBe(before + 1);
});

test('an empty folder is filled, also behind a link, and a failure leaves it empty', async () => {
  mkdirSync(join(folder.path, 'empty'));
  symlinkSync('empty', join(folder.path, 'to-empty'));
  const failing = makeFolderWhole(join(folder.path, 'to-empty'), async (made) => {
    writeFileSync(join(made, 'half'), '');
    throw new Error('failed');
  });
  await expect(failing).rejects.toThrow('failed');
  expect(readdirSync(join(folder.path, 'empty'))).toEqual([]);
  await makeFolderWhole(join(folder.path, 'to-empty'), async (made) => writeFileSync(join(made, 'whole'), ''));
  expect(readdirSync(join(folder.path, 'empty'))).toEqual(['whole']);
  expect(readdirSync(folder.path).filter((name) => name.includes('.tmp-'))).toEqual([]);
});
