import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Makes a separate disk with these files and no space left. Only root can mount one. */
export function makeFullDisk(files: Record<string, string> = {}): Disposable & { dir: string } {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', dir]);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  fill(join(dir, 'filler'));
  const dispose = () => {
    execFileSync('umount', [dir]);
    rmSync(dir, { recursive: true });
  };
  return { dir, [Symbol.dispose]: dispose };
}

function fill(file: string): void {
  const descriptor = openSync(file, 'w');
  try {
    for (;;) writeSync(descriptor, Buffer.alloc(4096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(descriptor);
  }
}
