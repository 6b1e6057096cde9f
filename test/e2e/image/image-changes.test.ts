import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { connectEngine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { commitAll, openCli } from '../../support/cli/cli.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { runScript } from '../../support/engines/run-script.ts';

const engine = inject('engineHost');
const cli = openCli({ engine, toolchain: inject('baseImage') });
const client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `changes-${process.pid}` });
const name = `e2e-changes-${process.pid}`;
const spec = 'image:\n  entrypoint: ["true"]\n  layers:\n    - name: app\n      from: [app/]\n      to: /srv\n';
const rootDir = cli.tasks(name, spec, { 'app/one': '1', 'app/two': '2', 'app/dir/three': '3', 'app/dir/four': '4' });
const at = (path: string) => join(rootDir, 'app', path);

afterAll(async () => {
  await removeRepository(engine, name);
  client.close();
  cli[Symbol.dispose]();
});

async function pack(): Promise<ImageRecord> {
  const { exitCode, stdout, stderr } = await cli.run(['image', '--no-build', '--json'], { cwd: rootDir });
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as ImageRecord;
}

/** Every path with type, mode and content, on both sides by the same program. */
const list = 'tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - * | sha256sum';

const inImage = async (reference: string) => (await runScript(client, reference, `cd /srv && ${list}`)).trim();
const onHost = () => {
  execaSync('chmod', ['-R', 'u=rwX,go=rX', at('.')]);
  return execaSync('sh', ['-c', list], { cwd: at('.') }).stdout.trim();
};

/** One edit each, as people make them between two images. */
const edits: [string, () => void][] = [
  ['a changed file', () => appendFileSync(at('one'), ' more')],
  [
    'a file changed without changing its size or time',
    () => {
      writeFileSync(at('two'), 'X');
      utimesSync(at('two'), 1, 1);
    },
  ],
  [
    'a new file in a new folder',
    () => {
      mkdirSync(at('new/deep'), { recursive: true });
      writeFileSync(at('new/deep/file'), 'n');
    },
  ],
  ['a removed file', () => rmSync(at('dir/three'))],
  ['a renamed file', () => renameSync(at('dir/four'), at('dir/five'))],
  ['a file that became executable', () => chmodSync(at('one'), 0o755)],
  ['a link', () => symlinkSync('one', at('link'))],
  [
    'a link that became a file',
    () => {
      rmSync(at('link'));
      writeFileSync(at('link'), 'file');
    },
  ],
  ['an empty folder', () => mkdirSync(at('empty'))],
  [
    'a folder that became a file',
    () => {
      rmSync(at('new'), { recursive: true });
      writeFileSync(at('new'), 'file');
    },
  ],
];

test('an image of an uncommitted tree shows exactly the tree, after any edit, whatever was sent', {
  timeout: 300_000,
}, async () => {
  await pack();
  const sent: Record<string, number> = {};
  for (const [what, edit] of edits) {
    edit();
    const record = await pack();
    expect(await inImage(record.reference), what).toBe(onHost());
    sent[what] = record.layersSent;
  }
  expect(Object.values(sent).every((layers) => layers === 1)).toBe(true);
  const last = await pack();
  const again = await pack();
  expect([again.imageId, again.layersSent]).toEqual([last.imageId, 0]);
  // The images in between lost their name to the next one, and are gone.
  const ours = await client.listImages({ label: `org.opencontainers.image.title=${name}` });
  expect(ours.flatMap(({ tags }) => (tags.length === 0 ? ['nameless'] : []))).toEqual([]);
});

test('an image is put on the last one even when many newer ones bear its name, and packed anew when that one is gone', {
  timeout: 300_000,
}, async () => {
  const first = await pack();
  for (let tag = 0; tag < 10; tag += 1) await client.tagImage(inject('baseImage'), `${name}:other-${tag}`);
  appendFileSync(at('one'), ' and more');
  expect((await pack()).layersSent).toBe(1);
  await removeRepository(engine, name);
  appendFileSync(at('one'), ' and more');
  const anew = await pack();
  expect(anew.layers.map((layer) => layer.name)).toEqual(['gbuild layer: app']);
  expect(await inImage(anew.reference)).toBe(onHost());
  expect(anew.imageId).not.toBe(first.imageId);
});

test('a commit gives the image that it gives anywhere, however many changes led to it', {
  timeout: 300_000,
}, async () => {
  commitAll(rootDir, 'all of it');
  const grown = await pack();
  rmSync(join(cli.cacheDir, 'packed-trees'), { recursive: true, force: true });
  const fresh = await pack();
  expect(fresh.imageId).toBe(grown.imageId);
  expect(grown.layers.map((layer) => layer.name)).toEqual(['gbuild layer: app']);
});
