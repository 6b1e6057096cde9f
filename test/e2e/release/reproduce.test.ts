import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import {
  type CallOptions,
  type Cli,
  commitAll,
  copyInstallation,
  copyOf,
  git,
  openCli,
} from '../../support/cli/cli.ts';
import { ensureNode } from '../../support/cli/node-versions.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { removeVolume } from '../../support/engines/engine-left.ts';

const engine = inject('engineHost');
const name = `e2e-reproduce-${process.pid}`;
const first = openCli({ engine });
const rootDir = join(first.dir, 'hello');
const others: Cli[] = [];
let record: ImageRecord;

// Fetched here: a hook has the time that a slow network takes.
let nodes: { old: string; new: string };
beforeAll(async () => {
  nodes = { old: await ensureNode('22.13.0'), new: await ensureNode('26.10.0') };
  copyOf('examples/node-hello', rootDir, name);
  expect((await first.run(['lock'], { cwd: rootDir })).exitCode).toBe(0);
  commitAll(rootDir, 'locked');
  record = await release(first, rootDir);
});
afterAll(async () => {
  await removeRepository(engine, name);
  for (const cli of [first, ...others]) cli[Symbol.dispose]();
});

async function release(cli: Cli, cwd: string, options: CallOptions = {}): Promise<ImageRecord> {
  const { exitCode, stdout, stderr } = await cli.run(['image', '--release', '1.0.1', '--json'], { ...options, cwd });
  // Where the image is another one, the refusal says in which layer and file.
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as ImageRecord;
}

/** The same commit in another folder, with nothing of the first build; a store of its own that knows no release yet. */
function cloneInto(cli: Cli, folder: string): string {
  others.push(cli);
  const clone = join(cli.dir, folder);
  mkdirSync(join(clone, '..'), { recursive: true });
  git('/', 'clone', '-q', rootDir, clone);
  return clone;
}

/** A wrapper of Node that starts it with another umask. */
function withUmask(cli: Cli, node: string, umask: string): string {
  const wrapper = join(cli.dir, 'node-with-umask');
  writeFileSync(wrapper, `#!/bin/sh\numask ${umask}\nexec '${node}' "$@"\n`, { mode: 0o755 });
  return wrapper;
}

test('another folder, umask, time zone, locale, file times and Node give the same image', async () => {
  const cli = openCli({ engine });
  const cwd = cloneInto(cli, 'elsewhere with spaces/and ünïcode');
  for (const path of readdirSync(cwd, { recursive: true, encoding: 'utf8' })) {
    if (path.startsWith('.git/')) continue;
    utimesSync(join(cwd, path), 1, 86_400);
    if (statSync(join(cwd, path)).isFile()) chmodSync(join(cwd, path), 0o600);
  }
  const installed = copyInstallation(join(cli.dir, 'installed'));
  const node = withUmask(cli, nodes.old, '077');
  const env = { TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', USER: 'somebody', CI: 'true' };
  const again = await release(cli, cwd, { env, installed: { ...installed, node } });
  expect([again.imageId, again.manifestDigest]).toEqual([record.imageId, record.manifestDigest]);
  expect(again.alreadyReleased).toBe(false);
});

// Only root can become someone else, and only a socket tells who may use it.
const socket = engine.startsWith('unix://') ? engine.slice('unix://'.length) : undefined;
test.skipIf(process.getuid?.() !== 0 || socket === undefined)('another user and Node give the same image', async () => {
  const cli = openCli({ engine, ownCache: true });
  const cwd = cloneInto(cli, 'of another user');
  const uid = 4343;
  const installed = { ...copyInstallation(join(cli.dir, 'installed')), node: join(cli.dir, 'node26') };
  execaSync('cp', [nodes.new, installed.node]);
  const home = join(cli.dir, 'other-home');
  mkdirSync(home);
  execaSync('chown', ['-R', `${uid}:${uid}`, home, cwd]);
  chownSync(cwd, uid, uid);
  const env = { HOME: home, XDG_CACHE_HOME: home, XDG_DATA_HOME: home, XDG_STATE_HOME: home };
  try {
    const as = { uid, gid: uid, groups: [statSync(socket!).gid], installed };
    expect((await release(cli, cwd, { env, as })).imageId).toBe(record.imageId);
    expect(statSync(join(cwd, 'dist/server.js')).uid).toBe(uid);
  } finally {
    await removeVolume(engine, `gbuild-cache-npm-${uid}`);
  }
});
