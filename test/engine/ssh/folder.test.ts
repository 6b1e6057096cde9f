import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeSshFolder } from '../../../src/engine/ssh/folder.ts';

const parent = mkdtempSync(join(tmpdir(), 'folders-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

/** Another process that has a folder there. */
async function startOwner() {
  const script = `import { makeSshFolder } from '${import.meta.dirname}/../../../src/engine/ssh/folder.ts';
console.log(makeSshFolder('${parent}'));
process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [said] = await once(child.stdout, 'data');
  const kill = async () => {
    child.kill('SIGKILL');
    await once(child, 'close');
  };
  return { folder: String(said).trim(), kill };
}

test("a killed gbuild's folder is removed by the next one, a living one's is not, nor what only looks alike", async () => {
  const [dead, living] = [await startOwner(), await startOwner()];
  writeFileSync(join(dead.folder, 's'), '');
  await dead.kill();
  const alike = join(parent, 'gbuild-ssh-notes');
  mkdirSync(alike);
  const own = makeSshFolder(parent);
  expect([dead.folder, living.folder, alike, own].map((dir) => existsSync(dir))).toEqual([false, true, true, true]);
  await living.kill();
});

test('the folder leaves room for a socket and what ssh appends to its name, wherever temporary files are', () => {
  const folders = [makeSshFolder('/tmp'), makeSshFolder(`/tmp/${'deep/'.repeat(20)}`)];
  for (const folder of folders) rmSync(folder, { recursive: true });
  const socket = '/s.0123456789abcdef';
  expect(folders.map((folder) => dirname(folder))).toEqual(['/tmp', '/tmp']);
  expect(folders.every((folder) => `${folder}${socket}`.length < 104 - (32 - '/tmp'.length))).toBe(true);
});
