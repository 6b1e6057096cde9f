import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInstalled, say, testCacheDir } from './test-engine.ts';

/** docker-machine is built from its Go module: where there is no Go, its own tests cannot be. */
export const canBuildMachine = isInstalled('go');

/** The folder of a real docker-machine with drivers none and generic, built once and kept. */
export function buildDockerMachine(): string {
  const binDir = join(testCacheDir, 'docker-machine-0.16.2');
  const program = join(binDir, 'docker-machine');
  if (existsSync(program)) return binDir;
  say('building docker-machine from its Go module (once)');
  mkdirSync(binDir, { recursive: true });
  const cwd = fileURLToPath(new URL('docker-machine', import.meta.url));
  const temporary = `${program}.${process.pid}`;
  execFileSync('go', ['build', '-o', temporary, '.'], { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
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
