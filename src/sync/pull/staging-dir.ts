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
import { incomingPrefix } from '../read/read-local.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** A folder of the workspace in which incoming files stand until they are whole; on its disk, so that they can be renamed. */
export class Incoming implements Disposable {
  readonly #rootDir: string;
  readonly #dir: string;
  #count = 0;

  constructor(rootDir: string) {
    this.#rootDir = rootDir;
    this.#dir = `${rootDir}/${incomingPrefix}${makeMark()}`;
  }

  /** What the content hashes to (sha256), and the place of the file. */
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

  /** To its place, where what stands there is replaced at once. A disk of its own may be mounted there. */
  place(file: string, to: string): void {
    try {
      renameSync(file, to);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EXDEV') throw thrown;
      placeOverDisks(file, to);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #next(): string {
    if (this.#count === 0) {
      removeDeadIncoming(this.#rootDir);
      mkdirSync(this.#dir, { mode: 0o700 });
    }
    this.#count += 1;
    return `${this.#dir}/${this.#count}`;
  }
}

function placeOverDisks(file: string, to: string): void {
  const temporary = `${to}.tmp-${makeMark()}`;
  try {
    copyFileSync(file, temporary, constants.COPYFILE_EXCL);
    renameSync(temporary, to);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw diskError(cause, to) ?? cause;
  }
}

/** Removes what runs left that were killed while files came; answers the folders. */
export function removeDeadIncoming(rootDir: string): string[] {
  const dead = readdirSync(rootDir)
    .filter((name) => name.startsWith(incomingPrefix) && isWriterDead(name.slice(incomingPrefix.length)))
    .map((name) => `${rootDir}/${name}`);
  for (const dir of dead) rmSync(dir, { recursive: true, force: true });
  return dead;
}
