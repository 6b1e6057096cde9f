import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPackages, isInstalled } from '../engines/test-engine.ts';
import { testCacheDir } from '../runner/cache-dir.ts';
import { makeOnce, runToEnd } from '../runner/make-once.ts';

/** Builds a real docker-machine with the drivers none and generic from its Go module, once. Returns its folder. */
export function buildDockerMachine(): Promise<string> {
  return makeOnce(join(testCacheDir, 'docker-machine-0.16.2'), 'build docker-machine', async (binDir) => {
    if (!isInstalled('go')) await installPackages(['golang-go']);
    mkdirSync(binDir, { recursive: true });
    const cwd = fileURLToPath(new URL('docker-machine', import.meta.url));
    await runToEnd('go', ['build', '-o', join(binDir, 'docker-machine'), '.'], { cwd });
  });
}

/** Runs it on a store. Returns its output and its exit code. */
export function runMachine(
  binDir: string,
  store: string,
  ...args: string[]
): { status: number | null; stderr: string } {
  const env = { ...process.env, PATH: `${binDir}:${process.env.PATH}`, MACHINE_STORAGE_PATH: store };
  const { status, stderr } = spawnSync('docker-machine', args, { env, encoding: 'utf8' });
  return { status, stderr };
}
