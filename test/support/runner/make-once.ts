import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Options as ExecaOptions, execa } from 'execa';
import { testCacheDir } from './cache-dir.ts';
import { timeStep } from './timings.ts';

/**
 * Makes a file or folder of the tests' cache unless it exists: one process at a time, written under another name and
 * renamed when complete. `make` gets that name. Returns the target.
 */
export async function makeOnce(
  target: string,
  what: string,
  make: (temporary: string) => Promise<unknown>,
): Promise<string> {
  if (existsSync(target)) return target;
  await using _ = await holdLock(what);
  if (existsSync(target)) return target;
  process.stderr.write(`test set-up: ${what} (once)\n`);
  mkdirSync(dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}`;
  try {
    await timeStep(what, () => make(temporary));
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return target;
}

/** Waits until no other process holds the lock of that name; the kernel releases it when its holder dies. */
export async function holdLock(name: string): Promise<AsyncDisposable> {
  const dir = join(testCacheDir, 'locks');
  mkdirSync(dir, { recursive: true });
  const file = join(dir, name.replaceAll(/\W+/g, '-'));
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'exit');
  const [first] = await Promise.race([once(holder.stdout, 'data'), ended]);
  if (!(first instanceof Buffer)) throw new Error(`flock ${file} ended with ${first}`);
  return {
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      await ended;
    },
  };
}

/** Runs a program to its end without blocking this process; throws with all its output when it fails. */
export async function runToEnd(program: string, args: string[], options: ExecaOptions = {}): Promise<string> {
  const { failed, all, shortMessage } = await execa(program, args, {
    ...options,
    stdin: 'ignore',
    all: true,
    reject: false,
  });
  if (failed) throw new Error(`${shortMessage}\n${String(all)}`);
  return String(all);
}
