import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { sweepFiles } from '../../../src/actions/maintenance/sweep-files.ts';
import type { Host } from '../../../src/host.ts';

interface Writer {
  pid: number;
  /** As temporaries of files carry it. */
  mark: string;
  /** As folders of the cache carry it. */
  owner: string;
}

const script = `import { makeMark } from '${import.meta.dirname}/../../../src/fs/writer-mark.ts';
import { ownerText, readOwner } from '${import.meta.dirname}/../../../src/fs/process-owner.ts';
console.log(JSON.stringify({ pid: process.pid, mark: makeMark(), owner: ownerText(readOwner()) }));`;

function makeDead(): Writer {
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return JSON.parse(stdout) as Writer;
}

async function startLiving() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', `${script} setInterval(() => {}, 1000);`]);
  const [said] = await once(child.stdout, 'data');
  return { writer: JSON.parse(String(said)) as Writer, [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

const hash = 'c0ffee'.repeat(8);

/** Everything that a gbuild that is killed may leave on this machine, by path below a folder that is home and workspace. */
const leftovers = ({ pid, mark, owner }: Writer) => [
  `cache/catalogs/${hash}.tmp-${mark}/toolchain.yml`,
  `cache/user-tables/${hash}.tmp-${mark}`,
  `cache/workspaces/clock.tmp-${mark}`,
  `cache/downloads/incoming.tmp-${mark}/package.tgz`,
  `cache/spool/${owner}.push/layer.tar`,
  `cache/work/${owner}.abc/rootfs.tar`,
  `cache/locks/${hash}.lock.${owner}.1`,
  `cache/gbuild-podman/${pid}/podman.sock`,
  `data/store/index.json.tmp-${mark}`,
  `data/store/blobs/sha256/${hash}.tmp-${mark}`,
  `state/detached/run.task.json.tmp-${mark}`,
  `settings/config.yml.tmp-${mark}`,
  `work/gbuild.lock.tmp-${mark}`,
  `work/gbuild.yml.tmp-${mark}`,
  `work/.git/.gbuild-probe.tmp-${mark}`,
  `work/.git/gbuild/${owner}.run/git/HEAD`,
  `work/.gbuild-incoming-${mark}/1`,
  // Of gbuild 0.1.
  `cache/catalogs/${hash.slice(0, 16)}.${pid}/toolchain.yml`,
  `cache/parsed/${hash}.json.${pid}`,
  `cache/workspaces/${pid}.clock`,
];

function plant(dir: string, writer: Writer): string[] {
  return leftovers(writer).map((path) => {
    const file = join(dir, path);
    mkdirSync(dirname(file), { recursive: true });
    // A lock's temporary says whose it is in its content.
    writeFileSync(file, `${writer.owner} 1\n`);
    return file;
  });
}

test('what dead processes left is removed, what living ones have and what only looks alike is not', async () => {
  await using fixture = await createFixture({
    'cache/node/24.21.0-npm-11.21.2/bin': '',
    'cache/catalogs/notes.99999999': '',
    'settings/config.yml': 'config: 1\n',
    'work/.git/HEAD': 'ref: refs/heads/main\n',
    'work/.git/objects/keep': '',
    'work/.git/refs/keep': '',
    'work/.git/config': '',
    'work/notes.tmp-1': '',
    'data/store/oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    'data/store/index.json': '{"schemaVersion":2,"manifests":[]}',
  });
  mkdirSync(fixture.getPath('config'));
  symlinkSync(fixture.getPath('settings/config.yml'), fixture.getPath('config/config.yml'));
  using living = await startLiving();
  const dead = makeDead();
  const [left, going] = [plant(fixture.path, dead), plant(fixture.path, living.writer)];
  const views = [dead, living.writer].map(({ mark }) => join(tmpdir(), `gbuild-git-${mark.split('-', 3).join('-')}-x`));
  for (const view of views) mkdirSync(view);
  const host = {
    cwd: fixture.getPath('work'),
    homeDir: '/nonexistent',
    uid: 4242,
    env: {},
    cacheDir: fixture.getPath('cache'),
    dataDir: fixture.getPath('data'),
    stateDir: fixture.getPath('state'),
    configDir: fixture.getPath('config'),
  } as unknown as Host;
  const swept = await sweepFiles(host);
  expect(left.filter((file) => existsSync(file))).toEqual([]);
  expect(going.filter((file) => !existsSync(file))).toEqual([]);
  expect(views.map((view) => existsSync(view))).toEqual([false, true]);
  const kept = [
    'cache/node/24.21.0-npm-11.21.2/bin',
    'cache/catalogs/notes.99999999',
    'work/notes.tmp-1',
    'work/.git/HEAD',
  ];
  expect(kept.filter((path) => !existsSync(fixture.getPath(path)))).toEqual([]);
  expect(swept.filter((path) => path.startsWith(fixture.path))).toHaveLength(left.length);
  expect(await sweepFiles(host)).toEqual([]);
});
