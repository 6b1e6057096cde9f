import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import { keepServiceLog } from '../../src/actions/run/services/service-log.ts';
import { ensureClone } from '../../src/actions/session/catalog-clone.ts';
import { initSpec } from '../../src/actions/session/write-spec-file.ts';
import { mergeReports } from '../../src/actions/shards/merge-reports.ts';
import { keepLock } from '../../src/actions/toolchain/make-lock.ts';
import type { ServiceContainer } from '../../src/engine/service/service-container.ts';
import { withTempDir } from '../../src/fs/temp-dir.ts';
import type { Host } from '../../src/host.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { writeAtomic } from '../../src/oci/layout/atomic-write.ts';
import { openLayout } from '../../src/oci/layout/layout.ts';
import { LogFile } from '../../src/reporter/log-file.ts';
import { TaskOutput } from '../../src/reporter/output.ts';
import { silentProgress } from '../../src/reporter/progress.ts';
import { Mask } from '../../src/secrets/mask.ts';
import type { Lock } from '../../src/spec/lock/lock-types.ts';
import { writeSpec } from '../../src/spec/write/migrate.ts';
import { errorOf } from '../support/assert/error-of.ts';
import { makeFullDisk } from '../support/assert/full-disk.ts';

const lock: Lock = {
  lock: 1,
  toolchain: { request: 'node', name: 'node', version: '24.0.0', recipe: digestOf(Buffer.from('')), platforms: {} },
};
const installDir = join(import.meta.dirname, '../..');
const other = mkdtempSync(join(tmpdir(), 'gbuild-other-'));
afterAll(() => rmSync(other, { recursive: true }));
const content = Buffer.alloc(20_000, 'x');
const rootless = process.getuid?.() !== 0;

/** Names of all that is on a disk, but for what was there before. */
function listNew(dir: string, known: string[] = []): string[] {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name !== 'filler' && !known.includes(name));
}

describe.skipIf(rootless)('on a full disk', () => {
  const session = (rootDir: string) => ({ rootDir }) as Parameters<typeof keepLock>[0]['session'];

  test('a lock that was asked for is a failure, one that a run would write is a warning', async () => {
    using disk = makeFullDisk();
    const warnings: string[] = [];
    const progress = { ...silentProgress, warn: (text: string) => void warnings.push(text) };
    const asked = { session: session(disk.dir), progress, isLockAsked: true };
    const { code, message, suggestions } = await errorOf(() => keepLock(asked, lock));
    const plain = (text: string) => text.replaceAll(disk.dir, '<disk>').replaceAll(/tmp-[\w-]+/g, 'tmp-<mark>');
    expect([code, plain(message), suggestions.map(plain)]).toMatchInlineSnapshot(`
      [
        "disk-failed",
        "<disk>/gbuild.lock cannot be written: there is no room left on the disk: <disk> (ENOSPC: no space left on device, write)",
        [
          "df -h '<disk>'",
          "gbuild clean",
        ],
      ]
    `);
    expect(warnings).toEqual([]);
    await keepLock({ ...asked, isLockAsked: false }, lock);
    expect(warnings.map(plain)).toMatchInlineSnapshot(`
      [
        "gbuild.lock could not be written, the next run may choose differently: <disk>/gbuild.lock cannot be written: there is no room left on the disk: <disk> (ENOSPC: no space left on device, write)",
      ]
    `);
    expect(listNew(disk.dir)).toEqual([]);
  });

  test('whatever is written whole is refused by its name, and leaves nothing', async () => {
    using disk = makeFullDisk({ 'package.json': '{}', 'cache/keep': '', 'store/keep': '' });
    const known = listNew(disk.dir);
    const at = (name: string) => join(disk.dir, name);
    const host = { cwd: disk.dir, homeDir: other, configDir: other, cacheDir: at('cache'), env: {} } as unknown as Host;
    writeFileSync(join(other, 'report.txt'), content);
    const attempts: Record<string, () => unknown> = {
      'gbuild.yml': () => initSpec({ host: { ...host, cacheDir: other }, installDir, progress: silentProgress }),
      'migrated.yml': () => writeSpec(at('migrated.yml'), content.toString()),
      'image.tar': () => withTempDir(host, 'name', () => writeAtomic(at('image.tar'), [content])),
      'report.txt': () => mergeReports(disk.dir, [{ number: 1, dir: other }], silentProgress),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      const { code, message } = await errorOf(attempt);
      expect([name, code, message]).toEqual([name, 'disk-failed', expect.stringContaining(disk.dir)]);
      expect([name, listNew(disk.dir, [...known, 'cache/spool'])]).toEqual([name, []]);
    }
  });

  test('a blob of the store is refused and leaves nothing', async () => {
    using disk = makeFullDisk({
      'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
      'index.json': '{"schemaVersion":2,"manifests":[]}',
      'blobs/sha256/keep': '',
    });
    const known = listNew(disk.dir);
    const store = await openLayout(disk.dir);
    const { code, message } = await errorOf(() => store.writeBlob(digestOf(content), content.length, [content]));
    expect([code, message]).toEqual(['disk-failed', expect.stringContaining('there is no room left on the disk')]);
    expect(listNew(disk.dir, known)).toEqual([]);
  });

  test('a catalog that cannot be cloned leaves nothing', async () => {
    using disk = makeFullDisk({ 'catalogs/keep': '' });
    const source = join(other, 'catalog');
    execFileSync('git', ['init', '-q', source]);
    writeFileSync(join(source, 'toolchain.yml'), content);
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
    execFileSync('git', ['-C', source, 'add', '-A']);
    execFileSync('git', ['-C', source, ...identity, 'commit', '-qm', 'first']);
    const host = { cacheDir: disk.dir, homeDir: other, env: { PATH: process.env.PATH } } as unknown as Host;
    const known = listNew(disk.dir);
    await errorOf(() => ensureClone(`file://${source}`, host, silentProgress, false));
    expect(listNew(disk.dir, known)).toEqual([]);
  });

  test('a log ends and says why, and what was to be logged goes on', async () => {
    using disk = makeFullDisk({ 'services/keep': '' });
    const passed = new PassThrough();
    const output = new TaskOutput({ stdout: passed, stderr: passed, logFile: join(disk.dir, 'task.log') });
    await output.write('stdout', content);
    expect((await output.end())?.message).toMatch(/^ENOSPC/);
    expect(passed.read()).toEqual(content);

    const warnings: string[] = [];
    const container = {
      readLog: async function* () {
        yield { stream: 'stdout', data: content } as const;
        yield { stream: 'stderr', data: Buffer.from('\nlast words\n') } as const;
      },
    } as unknown as ServiceContainer;
    const file = join(disk.dir, 'services/db.log');
    const lines = await keepServiceLog(container, file, new Mask([]), (text) => void warnings.push(text));
    expect(lines.at(-1)).toBe('last words');
    expect(warnings).toEqual([expect.stringMatching(`^the log ${file} is not complete: ENOSPC`)]);
  });
});

test('a log whose folder cannot be made says so and does not stop the work', async () => {
  writeFileSync(join(other, 'file'), '');
  const log = new LogFile(join(other, 'file/task.log'));
  log.write('one\n');
  log.write('two\n');
  log.close();
  expect(log.failure?.message).toMatch(/^(ENOTDIR|EEXIST)/);
  const passed = new PassThrough();
  const output = new TaskOutput({ stdout: passed, stderr: passed, logFile: join(other, 'file/task.log') });
  await output.write('stdout', Buffer.from('one\n'));
  expect((await output.end())?.message).toMatch(/^(ENOTDIR|EEXIST)/);
  expect(passed.read().toString()).toBe('one\n');
});
