import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testCacheDir } from './cache-dir.ts';
import { isInstalled, say } from './test-engine.ts';

/**
 * The folder of a real docker-machine with drivers none and generic, built from its Go module once and kept. Undefined where there
 * is no Go, or its modules cannot be had, which is said: then its own tests cannot be.
 */
export function buildDockerMachine(): string | undefined {
  const binDir = join(testCacheDir, 'docker-machine-0.16.2');
  const program = join(binDir, 'docker-machine');
  if (existsSync(program)) return binDir;
  if (!isInstalled('go')) return undefined;
  say('building docker-machine from its Go module (once)');
  mkdirSync(binDir, { recursive: true });
  const cwd = fileURLToPath(new URL('docker-machine', import.meta.url));
  const temporary = `${program}.${process.pid}`;
  const { status } = spawnSync('go', ['build', '-o', temporary, '.'], { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) {
    say('docker-machine could not be built: its own tests are left out');
    return undefined;
  }
  renameSync(temporary, program);
  return binDir;
}

/** Runs it on a store; what it printed, and its exit code. */
export function runMachine(
  binDir: string,
  store: string,
  ...args: string[]
): { status: number | null; stderr: string } {
  const env = { ...process.env, PATH: `${binDir}:${process.env.PATH}`, MACHINE_STORAGE_PATH: store };
  const { status, stderr } = spawnSync('docker-machine', args, { env, encoding: 'utf8' });
  return { status, stderr };
}
