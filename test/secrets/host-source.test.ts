import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { digestSources, listHostSources } from '../../src/secrets/host-source.ts';
import type { SecretSpec } from '../../src/spec/types.ts';

const files = {
  'home/key': 'k',
  'other/key': 'k',
  'repo/key': 'k',
  'repo/deep/key': 'k',
  'repo/get.sh': '#!/bin/sh\n',
  'repo/.git/config': 'token',
};

async function makeRepository() {
  const fixture = await createFixture(files);
  symlinkSync('../other/key', join(fixture.path, 'repo/out'));
  symlinkSync('../other', join(fixture.path, 'repo/away'));
  symlinkSync('deep/key', join(fixture.path, 'repo/in'));
  symlinkSync('nowhere', join(fixture.path, 'repo/broken'));
  symlinkSync('repo', join(fixture.path, 'link'));
  const list = (secrets: Record<string, SecretSpec>, rootDir = 'repo') =>
    listHostSources(secrets, { rootDir: join(fixture.path, rootDir), homeDir: join(fixture.path, 'home') });
  const digest = (secrets: Record<string, SecretSpec>) => digestSources(list(secrets));
  return { [Symbol.asyncDispose]: () => fixture.rm(), path: (name: string) => join(fixture.path, name), list, digest };
}

test('commands and files outside of the repository need consent; variables and its own files do not', async () => {
  await using made = await makeRepository();
  const needs = (source: SecretSpec, rootDir?: string) => made.list({ A: source }, rootDir).length === 1;
  const own = ['key', './deep/key', 'in', 'broken', 'not/there', made.path('repo/key'), 'deep/../key'];
  const host = ['~/key', '../other/key', '/etc/hostname', 'out', 'away/key', '.git/config', 'deep/../.GIT/x', '.'];
  for (const rootDir of ['repo', 'link']) {
    expect(own.filter((file) => needs({ file }, rootDir))).toEqual([]);
    expect(host.filter((file) => !needs({ file }, rootDir))).toEqual([]);
  }
  expect(needs({ command: ['true'] })).toBe(true);
  expect(needs({ env: 'TOKEN' })).toBe(false);
});

test('the digest knows each declaration that needs consent, in any order, and no other', async () => {
  await using made = await makeRepository();
  const a = { command: ['pass', 'show', 'a'] };
  const b = { file: '~/key' };
  const all = made.digest({ A: a, B: b });
  expect(made.digest({ B: b, C: { env: 'C' }, A: a, D: { file: 'key' } })).toBe(all);
  const others: Record<string, SecretSpec>[] = [
    { A: a },
    { A: a, B: b, C: a },
    { A: b, B: a },
    { A: a, B: { file: '~/other' } },
    { A: { command: ['pass', 'show a'] }, B: b },
    { A: { command: ['pass', 'show', 'b'] }, B: b },
  ];
  expect(new Set([all, ...others.map(made.digest)]).size).toBe(others.length + 1);
});

test('a script of the repository that a command names is part of the digest', async () => {
  await using made = await makeRepository();
  const lines = [['./get.sh'], ['sh', 'get.sh'], ['sh', '-c', './get.sh; true'], ['x', '--from=get.sh']];
  const digests = () => lines.map((command) => made.digest({ A: { command } }));
  const before = digests();
  writeFileSync(made.path('repo/get.sh'), '#!/bin/sh\ncurl evil\n');
  const after = digests();
  expect(after.filter((digest) => before.includes(digest))).toEqual([]);
  writeFileSync(made.path('repo/unnamed.sh'), 'x');
  expect(digests()).toEqual(after);
});

test('a link of the repository that is turned elsewhere is another declaration', async () => {
  await using made = await makeRepository();
  const secrets = { A: { file: 'out' }, B: { command: ['./tool'] } };
  symlinkSync(made.path('other/tool'), made.path('repo/tool'));
  const before = made.digest(secrets);
  rmSync(made.path('repo/out'));
  symlinkSync('../home/key', made.path('repo/out'));
  const turned = made.digest(secrets);
  expect(turned).not.toBe(before);
  renameSync(made.path('repo/out'), made.path('repo/tool'));
  expect(made.digest({ B: secrets.B })).not.toBe(made.digest({ B: { command: ['tool'] } }));
});
