import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { removeRepository } from '../engines/engine-images.ts';
import { commitAll, copyOf, type Installation, openCli } from './cli.ts';
import { ensureNode } from './node-versions.ts';

export const checkout = fileURLToPath(new URL('../../..', import.meta.url));

/** Package as it would be published, below a folder that `remove` deletes. */
export interface PackedPackage {
  hostDir: string;
  tarball: string;
  /** Paths in the package. */
  files: string[];
  remove(): void;
}

export async function packPackage(): Promise<PackedPackage> {
  const hostDir = mkdtempSync(join(tmpdir(), 'gbuild-package-'));
  const { stdout } = await execa('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', hostDir], {
    cwd: checkout,
  });
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  return {
    hostDir,
    tarball: join(hostDir, filename),
    files: files.map(({ path }) => path),
    remove: () => rmSync(hostDir, { recursive: true, force: true }),
  };
}

/** Tests the installed package under a Node of that exact version. */
export function describeInstalled(version: string): void {
  const engine = inject('engineHost');

  describe(`installed into an empty folder under Node ${version}`, () => {
    const cli = openCli({ engine });
    const name = `e2e-package-${version.split('.')[0]}-${process.pid}`;
    let installed: Installation;

    beforeAll(async () => {
      const packed = await packPackage();
      const home = join(cli.dir, 'empty');
      mkdirSync(home);
      // Nothing may be fetched: the package must hold everything that it needs.
      await execa('npm', ['install', '--prefix', home, '--offline', '--no-audit', '--no-fund', packed.tarball], {
        cwd: home,
      });
      packed.remove();
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
}
