import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { walkFiles } from '../../src/workspace/walk.ts';
import { makeFolder } from '../support/images/tree.ts';

async function makeTree(paths: string[]) {
  const folder = await makeFolder();
  for (const path of paths) {
    const parts = path.split('/');
    mkdirSync(folder.getPath(...parts.slice(0, -1)), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(folder.getPath(path), path);
  }
  return folder;
}

const names = (entries: { path: string }[]) => entries.map(({ path }) => path);

describe('walkFiles', () => {
  it('lists files, folders (empty ones too) and links, links unfollowed', async () => {
    await using tree = await makeTree(['a/b', 'empty/', 'run.sh']);
    chmodSync(tree.getPath('run.sh'), 0o750);
    symlinkSync('nowhere', tree.getPath('dangling'));
    symlinkSync('/etc', tree.getPath('absolute'));
    symlinkSync('.', tree.getPath('a/loop'));
    expect(walkFiles(tree.path, { from: ['.'] })).toEqual([
      { path: 'a', type: 'directory' },
      { path: 'a/b', type: 'file', executable: false, content: { hostFile: tree.getPath('a/b'), size: 3 } },
      { path: 'a/loop', type: 'symlink', target: '.' },
      { path: 'absolute', type: 'symlink', target: '/etc' },
      { path: 'dangling', type: 'symlink', target: 'nowhere' },
      { path: 'empty', type: 'directory' },
      { path: 'run.sh', type: 'file', executable: true, content: { hostFile: tree.getPath('run.sh'), size: 6 } },
    ]);
  });

  it('starts where it is told, with paths relative to the root', async () => {
    await using tree = await makeTree(['a/b/c', 'a/d', 'e']);
    expect(names(walkFiles(tree.path, { from: ['a/b/', './e'] }))).toEqual(['a/b', 'a/b/c', 'e']);
  });

  it('takes what include names and nothing below what exclude names', async () => {
    await using tree = await makeTree(['a/.hidden.js', 'a/b.js', 'a/c.ts', 'out/b.js', 'out/deep/b.js']);
    expect(names(walkFiles(tree.path, { from: ['.'], include: ['**/*.js'], exclude: ['out'] }))).toEqual([
      'a/.hidden.js',
      'a/b.js',
    ]);
  });

  it('does not enter a folder that is not kept', async () => {
    await using tree = await makeTree(['a/b', 'c/d']);
    const asked: string[] = [];
    const keep = (path: string) => {
      asked.push(path);
      return path !== 'a';
    };
    expect(names(walkFiles(tree.path, { from: ['.'], keep }))).toEqual(['c', 'c/d']);
    expect(asked).not.toContain('a/b');
  });

  it('keeps hostile names, a real U+FFFD among them', async () => {
    const hostile = ['-rf', 'new\nline', `quo"te's`, 'ü', 'x'.repeat(250), '\ufffd'];
    await using tree = await makeTree(hostile);
    expect(names(walkFiles(tree.path, { from: ['.'] })).sort()).toEqual(hostile.sort());
  });

  it('refuses a name that is not UTF-8, escaped', async () => {
    await using tree = await makeTree(['a']);
    writeFileSync(Buffer.concat([Buffer.from(`${tree.path}/bad-`), Buffer.from([0xff])]), '');
    expect(() => walkFiles(tree.path, { from: ['.'] })).toThrowError(
      expect.objectContaining({ code: 'workspace-unreadable', facts: { path: tree.path, name: 'bad-\\xff' } }),
    );
  });

  it('skips sockets and pipes and says so', async () => {
    await using tree = await makeTree(['a']);
    execFileSync('mkfifo', [tree.getPath('pipe')]);
    const server = createServer().listen(tree.getPath('sock'));
    await new Promise((resolve) => server.once('listening', resolve));
    const skipped: string[] = [];
    const entries = walkFiles(tree.path, { from: ['.'], onSkipped: (path, kind) => skipped.push(`${path}: ${kind}`) });
    server.close();
    expect([names(entries), skipped]).toEqual([['a'], ['pipe: pipe', 'sock: socket']]);
  });

  it('says which start is not there', async () => {
    await using tree = await makeTree(['a']);
    expect(() => walkFiles(tree.path, { from: ['dist'] })).toThrowError(
      expect.objectContaining({
        code: 'output-missing',
        message: `${JSON.stringify(tree.getPath('dist'))} is not there`,
      }),
    );
  });
});
