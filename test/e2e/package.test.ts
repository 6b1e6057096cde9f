import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../src/pipeline/image-record.ts';
import { commitAll, copyOf, type Installation, openCli } from '../support/cli.ts';
import { removeRepository } from '../support/engine-images.ts';
import { ensureNode } from '../support/node-versions.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const engine = inject('engineHost');
const packed = mkdtempSync(join(tmpdir(), 'gbuild-package-'));
const versions = ['22.13.0', '24.21.0', '26.10.0'];
let tarball: string;
let files: string[];

beforeAll(async () => {
  const { stdout } = await execa('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', packed], {
    cwd: checkout,
  });
  const [{ filename, files: listed }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  tarball = join(packed, filename);
  files = listed.map(({ path }) => path);
});
afterAll(() => rmSync(packed, { recursive: true, force: true }));

test('the package holds what runs, its licences and the catalog: no source, no test, no path of this machine', async () => {
  const folders = new Set(files.map((path) => path.replace(/\/.*/s, '/')));
  expect([...folders].sort()).toEqual(
    expect.arrayContaining(['LICENSE', 'bin/', 'dist/', 'images/', 'oclif.manifest.json', 'package.json', 'schema/']),
  );
  expect(files.filter((path) => /\.(ts|map|tgz)$|(^|\/)(src|test|bench|examples|node_modules)\//.test(path))).toEqual(
    [],
  );
  await execa('tar', ['-xzf', tarball, '-C', packed]);
  const texts = files.map((path) => [path, readFileSync(join(packed, 'package', path), 'utf8')] as const);
  const forbidden = [checkout, `${homedir()}/`];
  expect(
    texts.flatMap(([path, text]) => forbidden.filter((word) => text.includes(word)).map((word) => [path, word])),
  ).toEqual([]);
});

test('publint finds nothing to say of it', async () => {
  const { messages } = await publint({ pkgDir: checkout, strict: true });
  expect(messages).toEqual([]);
});

describe.each(versions)('installed into an empty folder under Node %s', (version) => {
  const cli = openCli({ engine });
  const name = `e2e-package-${version.split('.')[0]}-${process.pid}`;
  let installed: Installation;

  beforeAll(async () => {
    const home = join(cli.dir, 'empty');
    mkdirSync(home);
    // Nothing may have to be fetched: all it needs is in the package.
    await execa('npm', ['install', '--prefix', home, '--offline', '--no-audit', '--no-fund', tarball], { cwd: home });
    installed = { node: await ensureNode(version), bin: join(home, 'node_modules/gbuild/bin/run.js') };
  });
  afterAll(async () => {
    await removeRepository(engine, name);
    cli[Symbol.dispose]();
  });

  test('it says who it is, tests the example and releases it', async () => {
    const rootDir = copyOf('examples/node-hello', join(cli.dir, 'hello'), name);
    const run = (...args: string[]) => cli.run(args, { cwd: rootDir, installed });
    expect((await run('--version')).stdout).toMatch(new RegExp(`^gbuild/\\S+ linux-\\w+ node-v${version}\n$`));
    const tested = await run('test');
    expect([tested.exitCode, tested.stdout], tested.stderr).toEqual([0, expect.stringContaining('pass 3')]);
    commitAll(rootDir, 'lock');
    const { exitCode, stdout, stderr } = await run('image', '--release', '1.0.1', '--json');
    expect(exitCode, stderr).toBe(0);
    expect(JSON.parse(stdout) as ImageRecord).toMatchObject({ reference: `${name}:1.0.1`, alreadyReleased: false });
  });
});
