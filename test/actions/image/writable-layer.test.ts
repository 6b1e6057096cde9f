import { expect, it } from 'vitest';
import { packWithWritable } from '../../../src/actions/image/writable-layer.ts';
import type { Entry } from '../../../src/oci/tar/entry.ts';
import { writeTar } from '../../../src/oci/tar/tar.ts';
import { readTar } from '../../../src/oci/tar/untar.ts';
import { errorOf } from '../../support/assert/error-of.ts';

const file = (path: string, text = path): Entry => {
  const bytes = Buffer.from(text);
  return { path, type: 'file', executable: path.endsWith('.sh'), content: { bytes, size: bytes.length } };
};
/** A base in two layers, whose folders are not all root's. */
const below = {
  diffIds: ['sha256:1', 'sha256:2'] as const,
  open: (diffId: string) => {
    const header = (path: string, mode: number, uid = 0) => ({
      path,
      type: 'directory' as const,
      mode,
      uid,
      gid: uid,
      mtime: 0,
      size: 0,
    });
    const lower = [header('./tmp/', 0o777), header('./home/ada/', 0o700, 5), header('./app/', 0o700, 5)];
    const items = (diffId === 'sha256:1' ? lower : [header('tmp', 0o1777)]).map((each) => ({ header: each }));
    return readTar(asAsync(writeTar(items)), diffId);
  },
};
const rule = (name: string, entries: Entry[]) => ({ name, entries, whole: false });

/** Each layer by what it is called, its paths with owner, mode and content. */
async function pack(rules: ReturnType<typeof rule>[], folders: string[]) {
  const layers = await packWithWritable(rules, { folders, uid: 7, gid: 8 }, below);
  const told: Record<string, string[]> = {};
  for (const layer of layers) {
    const lines: string[] = [];
    for await (const { header, content } of readTar(asAsync(layer.chunks()), 'a layer')) {
      const parts: Uint8Array[] = [];
      for await (const part of content) parts.push(part);
      const { path, uid, gid, mode, linkTarget } = header;
      lines.push(
        [path, `${uid}:${gid}`, mode.toString(8), linkTarget ?? String(Buffer.concat(parts))].join(' ').trim(),
      );
    }
    told[layer.createdBy.replace('gbuild layer: ', '')] = lines;
  }
  return told;
}

async function* asAsync(chunks: Iterable<Buffer>) {
  yield* chunks;
}

it('what lies in a writable folder is in one layer that belongs to the user, and in no other', async () => {
  const rules = [
    rule('dependencies', [file('app/node_modules/a.js'), file('app/data/seed.db', 'old')]),
    rule('application', [
      file('app/server.js'),
      file('app/data/seed.db', 'new'),
      file('app/data/deep/run.sh'),
      { path: 'app/data/link', type: 'symlink', target: 'seed.db' },
      file('app/database.js'),
    ]),
  ];
  expect(await pack(rules, ['app/data', 'var/lib/hello'])).toMatchInlineSnapshot(`
    {
      "application": [
        "app/ 0:0 755",
        "app/database.js 0:0 644 app/database.js",
        "app/server.js 0:0 644 app/server.js",
      ],
      "dependencies": [
        "app/ 0:0 755",
        "app/node_modules/ 0:0 755",
        "app/node_modules/a.js 0:0 644 app/node_modules/a.js",
      ],
      "writable": [
        "app/ 0:0 755",
        "app/data/ 7:8 755",
        "app/data/deep/ 7:8 755",
        "app/data/deep/run.sh 7:8 755 app/data/deep/run.sh",
        "app/data/link 7:8 777 seed.db",
        "app/data/seed.db 7:8 644 new",
        "var/ 0:0 755",
        "var/lib/ 0:0 755",
        "var/lib/hello/ 7:8 755",
      ],
    }
  `);
});

it('a rule of which nothing else is left makes no layer', async () => {
  const rules = [rule('application', [{ path: 'app/uploads', type: 'directory' }, file('app/uploads/.gitkeep', '')])];
  expect(Object.keys(await pack(rules, ['app/uploads']))).toEqual(['writable']);
});

it('folders above are as the base has them, but for those that the application has', async () => {
  const told = await pack([rule('application', [file('app/a')])], ['tmp/hello', 'home/ada/x/y', 'app/b', 'new/c']);
  expect(told.writable).toMatchInlineSnapshot(`
    [
      "app/ 0:0 755",
      "app/b/ 7:8 755",
      "home/ 0:0 755",
      "home/ada/ 5:5 700",
      "home/ada/x/ 0:0 755",
      "home/ada/x/y/ 7:8 755",
      "new/ 0:0 755",
      "new/c/ 7:8 755",
      "tmp/ 0:0 1777",
      "tmp/hello/ 7:8 755",
    ]
  `);
});

it('the same files in another order give the same layer', async () => {
  const entries = [file('app/data/b'), file('app/data/a/c')];
  const layers = await Promise.all(
    [entries, entries.toReversed()].map((each) =>
      packWithWritable([rule('all', each)], { folders: ['app/data'], uid: 7, gid: 8 }, below),
    ),
  );
  expect(layers[0]!.map(({ diffId }) => diffId)).toEqual(layers[1]!.map(({ diffId }) => diffId));
});

it('a file where a folder should be is refused', async () => {
  expect(await errorOf(() => pack([rule('all', [file('app/data.db')])], ['app/data.db']))).toMatchInlineSnapshot(`
    {
      "code": "spec-invalid",
      "message": "image.writable names /app/data.db, which is a file in the image",
      "suggestions": [
        "name the folder that it is in under image.writable in gbuild.yml",
      ],
    }
  `);
});
