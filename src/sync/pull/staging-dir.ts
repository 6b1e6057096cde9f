import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  futimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { diskError } from '../../errors.ts';
import { isWriterDead, makeMark } from '../../fs/writer-mark.ts';
import { stagingPrefix } from '../read/read-local.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * Folder for incoming files until they are complete. It is in the workspace, on the same disk, so that they can be
 * renamed.
 */
export class StagingDir implements Disposable {
  readonly #rootDir: string;
  readonly #dir: string;
  #count = 0;

  constructor(rootDir: string) {
    this.#rootDir = rootDir;
    this.#dir = `${rootDir}/${stagingPrefix}${makeMark()}`;
  }

  /** Writes a staged file; returns its sha256 and its path. */
  async write(
    content: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    { mode, mtime }: { mode: number; mtime: number },
  ): Promise<{ digest: string; file: string }> {
    const file = this.#next();
    const fd = openSync(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    const hasher = createHash('sha256');
    try {
      for await (const chunk of content) {
        hasher.update(chunk);
        for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done);
      }
      futimesSync(fd, mtime, mtime);
    } catch (cause) {
      throw diskError(cause, this.#rootDir) ?? cause;
    } finally {
      closeSync(fd);
    }
    chmodSync(file, mode);
    return { digest: hasher.digest('base64url'), file };
  }

  link(target: string): string {
    const file = this.#next();
    symlinkSync(target, file);
    return file;
  }

  /** Atomically moves a staged file to its destination; copies and renames across devices (EXDEV). */
  moveTo(file: string, to: string): void {
    try {
      renameSync(file, to);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EXDEV') throw thrown;
      moveAcrossDevices(file, to);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #next(): string {
    if (this.#count === 0) {
      removeDeadStagingDirs(this.#rootDir);
      mkdirSync(this.#dir, { mode: 0o700 });
    }
    this.#count += 1;
    return `${this.#dir}/${this.#count}`;
  }
}

function moveAcrossDevices(file: string, to: string): void {
  const temporary = `${to}.tmp-${makeMark()}`;
  try {
    copyFileSync(file, temporary, constants.COPYFILE_EXCL);
    renameSync(temporary, to);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw diskError(cause, to) ?? cause;
  }
}

/** Removes staging folders of killed runs. Returns the folders. */
export function removeDeadStagingDirs(rootDir: string): string[] {
  const dead = readdirSync(rootDir)
    .filter((name) => name.startsWith(stagingPrefix) && isWriterDead(name.slice(stagingPrefix.length)))
    .map((name) => `${rootDir}/${name}`);
  for (const dir of dead) rmSync(dir, { recursive: true, force: true });
  return dead;
}
