import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { publint } from 'publint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkout, describeInstalled, type PackedPackage, packPackage } from '../../support/cli/package-suite.ts';

let packed: PackedPackage;
beforeAll(async () => {
  packed = await packPackage();
});
afterAll(() => packed?.remove());

test('the package holds what runs, its licences and the catalog: no source, no test, no path of this machine', async () => {
  const { files, hostDir, tarball } = packed;
  const folders = new Set(files.map((path) => path.replace(/\/.*/s, '/')));
  expect([...folders].sort()).toEqual(
    expect.arrayContaining(['LICENSE', 'bin/', 'dist/', 'images/', 'oclif.manifest.json', 'package.json', 'schema/']),
  );
  expect(files.filter((path) => /\.(ts|map|tgz)$|(^|\/)(src|test|bench|examples|node_modules)\//.test(path))).toEqual(
    [],
  );
  await execa('tar', ['-xzf', tarball, '-C', hostDir]);
  const texts = files.map((path) => [path, readFileSync(join(hostDir, 'package', path), 'utf8')] as const);
  const forbidden = [checkout, `${homedir()}/`];
  expect(
    texts.flatMap(([path, text]) => forbidden.filter((word) => text.includes(word)).map((word) => [path, word])),
  ).toEqual([]);
});

test('publint finds nothing to say of it', async () => {
  const { messages } = await publint({ pkgDir: checkout, strict: true });
  expect(messages).toEqual([]);
});

// The oldest that it runs on; all other tests run under a newer one.
describeInstalled('22.13.0');
