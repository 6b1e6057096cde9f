import { readdirSync, readFileSync } from 'node:fs';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { formatLock, parseLock, readLock, writeLock } from '../../../src/spec/lock/lock.ts';
import type { Lock } from '../../../src/spec/lock/lock-types.ts';
import { errorOf } from '../mistakes-of.ts';

const hex = '0123456789abcdef'.repeat(4);
const lock: Lock = {
  lock: 1,
  toolchain: {
    request: 'node@^22',
    name: 'node',
    version: '22.21.1',
    options: { packages: ['git'], corepack: true, level: '10' },
    recipe: `sha256:${hex}`,
    platforms: {
      'linux/arm64/v8': { build: `sha256:${hex}` },
      'linux/amd64': { build: `sha256:${hex}`, base: `sha256:${hex}`, runtime: `sha256:${hex}` },
    },
  },
};

test('a lock has one spelling, whatever order its keys were put in', () => {
  expect(formatLock(lock)).toMatchInlineSnapshot(`
    "# What the toolchain of gbuild.yml was resolved to. Written by gbuild: commit it, do not edit it.
    lock: 1
    toolchain:
      request: node@^22
      name: node
      version: 22.21.1
      options:
        corepack: true
        level: "10"
        packages:
          - git
      recipe: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
      platforms:
        linux/amd64:
          build: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
          runtime: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
          base: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        linux/arm64/v8:
          build: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    "
  `);
  const { toolchain } = lock;
  const shuffled = {
    toolchain: { ...toolchain, platforms: Object.fromEntries(Object.entries(toolchain.platforms).reverse()) },
    lock: 1 as const,
  };
  expect(formatLock(shuffled)).toBe(formatLock(lock));
  expect(formatLock(parseLock(formatLock(lock)))).toBe(formatLock(lock));
});

test('a lock is written whole, replaces the old one and leaves nothing beside it', async () => {
  await using fixture = await createFixture({ 'gbuild.lock': 'old' });
  writeLock(fixture.path, lock);
  expect(readLock(fixture.path)).toEqual(lock);
  expect(readFileSync(fixture.getPath('gbuild.lock'), 'utf8')).toBe(formatLock(lock));
  expect(readdirSync(fixture.path)).toEqual(['gbuild.lock']);
});

test.each([
  ['registry.example/team/builder:bookworm', 'bookworm'],
  [`builder@sha256:${hex}`, `sha256:${hex}`],
  ['./tools', '123456789012'],
])('the lock of the toolchain %s is read back, though its version is no semver', (request, version) => {
  const written: Lock = { ...lock, toolchain: { ...lock.toolchain, request, name: 'builder', version } };
  expect(parseLock(formatLock(written))).toEqual(written);
});

test('where the images can be had stands before them, and must be a registry', () => {
  const written: Lock = { ...lock, toolchain: { ...lock.toolchain, registry: 'registry.example.com:5000' } };
  const text = formatLock(written);
  expect(text).toContain(`  recipe: sha256:${hex}\n  registry: registry.example.com:5000\n  platforms:\n`);
  expect(parseLock(text)).toEqual(written);
  const wrong = text.replace('registry.example', 'https://registry.example');
  expect(errorOf(() => parseLock(wrong)).message).toMatchInlineSnapshot(`
    "one mistake in gbuild.lock

      gbuild.lock:13:13  toolchain.registry: expected HOST or HOST:PORT, found "https://registry.example.com:5000"
          12 |   recipe: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        > 13 |   registry: https://registry.example.com:5000
             |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
        leave out https://"
  `);
});

test('no lock is no mistake', async () => {
  await using fixture = await createFixture({});
  expect(readLock(fixture.path)).toBeUndefined();
});

test('a folder that cannot be written is named, and nothing is left beside', async () => {
  await using fixture = await createFixture({ 'gbuild.lock/x': '' });
  expect(errorOf(() => writeLock(fixture.path, lock)).code).toBe('workspace-unreadable');
  expect(readdirSync(fixture.path)).toEqual(['gbuild.lock']);
  expect(errorOf(() => readLock(fixture.path)).code).toBe('workspace-unreadable');
});

test('an exact version is one of semver, a short one, or one of four numbers', () => {
  const versionOf = (version: string) =>
    parseLock(formatLock({ ...lock, toolchain: { ...lock.toolchain, version } })).toolchain.version;
  const versions = ['22.21.1', '21', '3.3', '9.4.15.0'];
  expect(versions.map(versionOf)).toEqual(versions);
});

test('a broken lock is refused like a broken spec, with what to do', () => {
  const broken = formatLock(lock)
    .replace('version: 22.21.1', 'version: ^22')
    .replace('recipe: sha256:0', 'recipe: sha256:x')
    .replace('linux/amd64', 'amd64');
  const error = errorOf(() => parseLock(broken));
  expect({ code: error.code, message: error.message, suggestions: error.suggestions }).toMatchInlineSnapshot(`
    {
      "code": "lock-invalid",
      "message": "3 mistakes in gbuild.lock

      gbuild.lock:6:12  toolchain.version: expected an exact version, found "^22"
          5 |   name: node
        > 6 |   version: ^22
            |            ^^^

      gbuild.lock:12:11  toolchain.recipe: expected sha256: and 64 lower-case hex digits, found "sha256:x123456789abcdef0123456789abcdef0123456789abcdef0123…"
          11 |       - git
        > 12 |   recipe: sha256:x123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
             |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

      gbuild.lock:14:5  toolchain.platforms.amd64: expected a platform such as linux/amd64, found "amd64"
          13 |   platforms:
        > 14 |     amd64:
             |     ^^^^^",
      "suggestions": [
        "rm gbuild.lock   # the next run resolves the toolchain again and writes a new one",
      ],
    }
  `);
});

test('a lock with the marks of a merge conflict says so', () => {
  expect(errorOf(() => parseLock(`<<<<<<< HEAD\n${formatLock(lock)}`)).message).toMatchInlineSnapshot(`
    "one mistake in gbuild.lock

      gbuild.lock:1:1  expected YAML, found the mark of a merge conflict that is not resolved
        > 1 | <<<<<<< HEAD
            | ^^^^^^^"
  `);
});

test('a lock of a newer gbuild is not guessed at', () => {
  expect(errorOf(() => parseLock('lock: 2\nlayout: other\n')).message).toMatchInlineSnapshot(`
    "one mistake in gbuild.lock

      gbuild.lock:1:7  lock: expected at most 1, found 2
        > 1 | lock: 2
            |       ^
        the lock is made by a newer gbuild: upgrade yours"
  `);
});
