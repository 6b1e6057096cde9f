import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TarHeader, writeTar } from '../../../src/oci/tar/tar.ts';
import { type ApplyReport, ChangeApplier } from '../../../src/sync/pull/apply-changes.ts';
import { receiveAll } from '../../../src/sync/pull/pull.ts';
import { readContent } from '../../../src/sync/read/hash-file.ts';
import { readNode } from '../../../src/sync/read/read-local.ts';
import type { Node, SyncBase, Tree } from '../../../src/sync/tree/tree.ts';

let dir: string;
let root: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gbuild-landing-'));
  root = join(dir, 'root');
  mkdirSync(root);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Sent {
  path: string;
  type?: TarHeader['type'];
  mode?: number;
  text?: string;
  linkTarget?: string;
}

/** What lands when an engine that asked-for paths were asked of sends these entries. */
async function land(
  asked: Record<string, Partial<Node>>,
  sent: Sent[],
  base: SyncBase = new Map(),
): Promise<ApplyReport> {
  const remote: Tree = new Map();
  for (const [path, node] of Object.entries(asked))
    remote.set(path, { kind: 'file', mode: 0o644, size: 1, fingerprint: 'there', ...node });
  const items = sent.map(({ path, type = 'file', mode = 0o644, text = '', linkTarget }) => {
    const bytes = Buffer.from(text);
    const header = { path, type, mode, uid: 0, gid: 0, mtime: 1_000_000_000, size: bytes.length };
    const full = linkTarget === undefined ? header : { ...header, linkTarget };
    return type === 'file' ? { header: full, content: { bytes, size: bytes.length } } : { header: full };
  });
  const known = new Set(base.keys());
  using applier = new ChangeApplier({
    rootDir: root,
    remote,
    base,
    isGuarded: (path) => known.has(path) || !path.startsWith('out/'),
  });
  async function* chunks() {
    yield* writeTar(items);
  }
  await receiveAll(Object.keys(asked), applier, chunks(), new AbortController().signal);
  applier.finish();
  return applier.report;
}

test('files land whole, with mode and time, and nothing else stays', async () => {
  const report = await land({ 'a/b': { mode: 0o755 } }, [{ path: './a/b', text: 'text' }]);
  const { mode, mtimeMs } = lstatSync(join(root, 'a/b'));
  expect([readFileSync(join(root, 'a/b'), 'utf8'), mode & 0o7777, mtimeMs]).toEqual(['text', 0o755, 1_000_000_000_000]);
  expect([report.files, report.refused, readdirSync(root)]).toEqual([1, [], ['a']]);
});

test.each<[what: string, sent: Sent[], why: string]>([
  ['a path nobody asked for', [{ path: 'b', text: 'x' }], 'b: it was not asked for'],
  ['an absolute path', [{ path: '/etc/x', text: 'x' }], '/etc/x: it was not asked for'],
  ['a path upwards', [{ path: './../x', text: 'x' }], '../x: it was not asked for'],
  ['a path in a roundabout way', [{ path: './b/../a', text: 'x' }], 'b/../a: it was not asked for'],
  ['a link for a file', [{ path: 'a', type: 'symlink', linkTarget: 'x' }], 'a: a symlink came for a file'],
  ['a hard link', [{ path: 'a', type: 'hardlink', linkTarget: '/etc/passwd' }], 'a: a hardlink came for a file'],
  ['a device', [{ path: 'a', type: 'block' }], 'a: a block came for a file'],
  ['a pipe', [{ path: 'a', type: 'fifo' }], 'a: a fifo came for a file'],
  ['a folder', [{ path: 'a', type: 'directory' }], 'a/: it was not asked for'],
  ['nothing', [], 'a: the engine did not give it'],
])('%s is refused and named', async (_, sent, why) => {
  const report = await land({ a: {} }, sent);
  expect([report.refused, readdirSync(root), readdirSync(dir)]).toEqual([expect.arrayContaining([why]), [], ['root']]);
});

test('a path that comes twice is taken once', async () => {
  const report = await land({ a: {} }, [
    { path: 'a', text: 'first' },
    { path: 'a', text: 'second' },
  ]);
  expect([readFileSync(join(root, 'a'), 'utf8'), report.refused]).toEqual(['first', ['a: it was not asked for']]);
});

test('a link may come first and a file below it then: the file is not written through it', async () => {
  const outside = join(dir, 'outside');
  mkdirSync(outside);
  symlinkSync(outside, join(root, 'l'));
  const asked = { l: { kind: 'symlink' as const, target: '.' }, 'l/x': {} };
  const report = await land(asked, [
    { path: 'l', type: 'symlink', linkTarget: '../outside' },
    { path: 'l/x', text: 'x' },
  ]);
  expect([readdirSync(outside), report.refused]).toEqual([
    [],
    ['l: the link leads out of the workspace, to ../outside', 'l/x: here a folder above it is missing or a link'],
  ]);
});

test('a link stays a link where it stays inside', async () => {
  await land({ 'd/l': { kind: 'symlink', target: '../a' } }, [{ path: 'd/l', type: 'symlink', linkTarget: '../a' }]);
  expect(readlinkSync(join(root, 'd/l'))).toBe('../a');
});

test('a set-id bit is not taken over, and that is said', async () => {
  const report = await land({ a: { mode: 0o755, setsId: true } }, [{ path: 'a', mode: 0o6755, text: 'x' }]);
  expect([lstatSync(join(root, 'a')).mode & 0o7777, report.refused.length]).toEqual([0o755, 1]);
});

test('what was edited here since it was sent is kept and named; the same edit on both sides is none', async () => {
  for (const name of ['edited', 'alike', 'untouched', 'out/x']) {
    mkdirSync(join(root, 'out'), { recursive: true });
    writeFileSync(join(root, name), 'before');
  }
  const base: SyncBase = new Map();
  for (const path of ['edited', 'alike', 'untouched']) {
    const { digest } = readContent(join(root, path))!;
    base.set(path, {
      kind: 'file',
      content: digest,
      local: readNode(join(root, path))!.fingerprint,
      remote: 'before',
    });
  }
  writeFileSync(join(root, 'edited'), 'mine');
  writeFileSync(join(root, 'alike'), 'new');
  writeFileSync(join(root, 'made'), 'mine');
  const names = ['edited', 'alike', 'untouched', 'made', 'out/x'];
  const asked = Object.fromEntries(names.map((name) => [name, {}]));
  const report = await land(
    asked,
    names.map((path) => ({ path, text: 'new' })),
    base,
  );
  const contents = names.map((name) => readFileSync(join(root, name), 'utf8'));
  expect([report.kept, contents]).toEqual([
    ['edited', 'made'],
    ['mine', 'new', 'new', 'mine', 'new'],
  ]);
  expect([base.has('edited'), base.get('alike')?.remote]).toEqual([false, 'there']);
});

test('a deletion there deletes here what is unchanged, and empty folders', () => {
  const base: SyncBase = new Map();
  for (const path of ['d/gone', 'd/edited', 'e/gone']) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), 'x');
    base.set(path, { kind: 'file', content: 'x', local: readNode(join(root, path))!.fingerprint, remote: '' });
  }
  for (const path of ['d', 'e']) base.set(path, { kind: 'directory', content: '', local: '755', remote: '755' });
  writeFileSync(join(root, 'd/edited'), 'mine');
  using applier = new ChangeApplier({ rootDir: root, remote: new Map(), base, isGuarded: () => true });
  for (const path of ['d/gone', 'd/edited', 'e/gone', 'd', 'e']) applier.remove(path);
  expect([readdirSync(root), readdirSync(join(root, 'd')), applier.report.kept]).toEqual([
    ['d'],
    ['edited'],
    ['d/edited'],
  ]);
  expect([base.size, existsSync(join(root, 'e'))]).toEqual([0, false]);
});
