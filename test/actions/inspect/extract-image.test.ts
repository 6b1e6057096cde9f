import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { extractImage } from '../../../src/actions/inspect/extract-image.ts';
import { copySet, gatherImages } from '../../../src/oci/layout/image-set.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { imageOf, layerOf, layerOfHeaders } from '../../support/images/made-image.ts';
import { makeFolder } from '../../support/images/tree.ts';
import { hostIn, neverStop, recordProgress } from '../../support/toolchains/host-in.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let progress: ReturnType<typeof recordProgress>;

const image = imageOf([
  layerOfHeaders(
    { path: 'bin/su', mode: 0o4755, text: 'su' },
    { path: 'dev/null', type: 'character', mode: 0o666, device: { major: 1, minor: 3 } },
    { path: '../evil\u001b[2J', text: 'x' },
    { path: 'sbin', type: 'symlink', mode: 0o777, linkTarget: '/bin' },
  ),
  layerOf('app', { 'app/main.js': 'main', 'app/lib/a.js': 'a' }),
]);

beforeAll(async () => {
  folder = await makeFolder();
  await copySet(gatherImages([image]), folder.getPath('image'), 'hello:1.0.0');
});
afterAll(() => folder[Symbol.asyncDispose]());
beforeEach(() => {
  progress = recordProgress();
});

function extract(
  dir: string,
  { path, name = 'oci:image', uid = 0 }: { path?: string; name?: string; uid?: number } = {},
) {
  const host = { ...hostIn(folder.path), uid };
  const context = {
    host,
    installDir: folder.path,
    progress,
    stop: neverStop(),
    choice: {},
    runId: 'r',
    platform: 'linux/amd64',
  };
  return extractImage({ ...context, name, dir, path });
}

const tame = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value)
      .replaceAll(folder.path, '<dir>')
      .replaceAll('\\u001b', '<esc>')
      .replaceAll(/[0-9a-f]{64}/g, 'HEX'),
  ) as unknown;
const failure = async (...args: Parameters<typeof extract>) => tame(await errorOf(() => extract(...args)));

test('what was written is counted, and what was not is named with its control characters spelled out', async () => {
  const { text, data } = await extract('out/whole');
  expect(tame(text)).toMatchInlineSnapshot(
    `"extracted oci:image to <dir>/out/whole: 4 files, 3 folders, 1 link, 10 B"`,
  );
  expect(tame(data)).toMatchInlineSnapshot(`
    {
      "bytes": 10,
      "dir": "<dir>/out/whole",
      "files": 4,
      "folders": 3,
      "imageId": "sha256:HEX",
      "links": 1,
      "origin": {
        "kind": "layout",
        "place": "<dir>/image",
      },
      "ownersKept": true,
      "reference": "oci:image",
      "relativeLinks": 1,
      "skipped": [
        {
          "path": "dev/null",
          "why": "a device",
        },
        {
          "path": "../evil<esc>[2J",
          "why": "its name leads out of the image",
        },
      ],
      "withoutPrivileges": [
        "bin/su",
      ],
    }
  `);
  expect(progress.notes).toMatchInlineSnapshot(`
    [
      "2 paths not written: dev/null (a device), ../evil\\x1b[2J (its name leads out of the image)",
      "written without setuid and setgid bits and capabilities: bin/su",
      "links made relative, because they would lead out of the folder: 1",
    ]
  `);
  expect(readdirSync(folder.getPath('out/whole')).sort()).toEqual(['app', 'base', 'bin', 'sbin']);
});

test.runIf(process.getuid?.() === 0)('somebody else than root is told whose the files are', async () => {
  const { data } = await extract('out/mine', { uid: 1000, path: 'app' });
  expect(data.ownersKept).toBe(false);
  expect(progress.notes).toEqual([
    'all files belong to you: only root can give them the owners that they have in the image',
  ]);
});

test.each([
  ['/app/main.js', 'app/main.js'],
  ['app/lib/../main.js', 'app/main.js'],
  ['../../app//main.js/', 'app/main.js'],
  ['sbin/su', 'bin/su'],
  ['sbin', 'sbin'],
  ['app/lib/..', 'app'],
])('the path %s is found as in a container', async (path, found) => {
  const dir = join('paths', path.replaceAll(/\W/g, '-'));
  expect((await extract(dir, { path })).data.path).toBe(found);
});

test('the root as path is all of the image', async () => {
  expect((await extract('out/root', { path: '/' })).data).not.toHaveProperty('path');
  expect(existsSync(folder.getPath('out/root/base'))).toBe(true);
});

test('a path that the image does not have is refused, and nothing written', async () => {
  expect(await failure('out/none', { path: 'app/nothing/there' })).toMatchInlineSnapshot(`
    {
      "code": "usage",
      "message": "the image oci:image has no app/nothing/there: it has no /app/nothing",
      "suggestions": [
        "gbuild inspect oci:image --files",
      ],
    }
  `);
  expect(existsSync(folder.getPath('out/none'))).toBe(false);
});

test('a folder that is in use is refused with a free one to type', async () => {
  mkdirSync(folder.getPath('used'));
  writeFileSync(folder.getPath('used/file'), 'mine');
  mkdirSync(folder.getPath('used-2'));
  writeFileSync(folder.getPath('used-2/file'), 'mine');
  expect(await failure('used', { path: '/app' })).toMatchInlineSnapshot(`
    {
      "code": "output-refused",
      "message": ""<dir>/used" exists and is not an empty folder; nothing was written",
      "suggestions": [
        "gbuild inspect oci:image --extract <dir>/used-3 --path /app",
      ],
    }
  `);
  expect(await failure('used/file')).toMatchInlineSnapshot(`
    {
      "code": "output-refused",
      "message": ""<dir>/used/file" exists and is not an empty folder; nothing was written",
      "suggestions": [
        "gbuild inspect oci:image --extract <dir>/used/file-2",
      ],
    }
  `);
  expect(readFileSync(folder.getPath('used/file'), 'utf8')).toBe('mine');
});

test('a place that cannot be written is refused with the reason', async () => {
  writeFileSync(folder.getPath('file'), '');
  expect(await failure('file/below')).toMatchInlineSnapshot(`
    {
      "code": "output-refused",
      "message": ""<dir>/file/below" cannot be written: EEXIST: file already exists, mkdir '<dir>/file'",
      "suggestions": [
        "name a place that you may write to, with enough room",
      ],
    }
  `);
});

test('a damaged layer is named, and nothing written', async () => {
  await copySet(gatherImages([image]), folder.getPath('damaged'), 'hello:1.0.0');
  const layer = image.layers.at(-1)!;
  const blob = join(folder.getPath('damaged'), 'blobs/sha256', layer.diffId.slice('sha256:'.length));
  const bytes = readFileSync(blob);
  bytes.write('M', bytes.indexOf('main', 512 * 3));
  writeFileSync(blob, bytes);
  expect(await failure('out/damaged', { name: 'oci:damaged' })).toMatchInlineSnapshot(`
    {
      "code": "store-failed",
      "message": "the blob sha256:HEX in "<dir>/damaged" is damaged",
      "suggestions": [],
    }
  `);
  expect(existsSync(folder.getPath('out/damaged'))).toBe(false);
});
