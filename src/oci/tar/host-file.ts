import { closeSync, constants, openSync, readSync } from 'node:fs';
import { GbuildError, messageOf } from '../../errors.ts';
import { quoteWord } from '../../escape.ts';

/** A link or a fifo in the file's place is neither followed nor waited for. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Whole file of the host, or with an offset a slice of one of gbuild's own. */
export interface HostFileContent {
  hostFile: string;
  size: number;
  offset?: number;
}

/** File of the host whose size was recorded earlier. Reading throws `workspace-changed` where the size differs. */
export class OpenFile {
  readonly #fd: number;
  readonly #hostFile: string;
  readonly #size: number;
  readonly #isSlice: boolean;
  #position: number | null;

  constructor({ hostFile, size, offset }: HostFileContent) {
    this.#fd = openForReading(hostFile);
    this.#hostFile = hostFile;
    this.#size = size;
    this.#isSlice = offset !== undefined;
    this.#position = offset ?? null;
  }

  /** Reads everything to `at`, usually in one system call; there must be room for one byte more. */
  readAll(target: Buffer, at: number): number {
    const wanted = this.#isSlice ? this.#size : this.#size + 1;
    let done = this.#read(target, at, wanted);
    while (done < this.#size) done += this.read(target, at + done, wanted - done);
    if (done > this.#size) throw changed(this.#hostFile, 'grew');
    return done;
  }

  /** Reads at least one byte. */
  read(target: Buffer, at: number, length: number): number {
    const count = this.#read(target, at, length);
    if (count === 0) throw changed(this.#hostFile, 'shrank');
    return count;
  }

  expectEnd(): void {
    if (!this.#isSlice && this.#read(Buffer.alloc(1), 0, 1) > 0) throw changed(this.#hostFile, 'grew');
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(target: Buffer, at: number, length: number): number {
    try {
      const count = readSync(this.#fd, target, at, length, this.#position);
      if (this.#position !== null) this.#position += count;
      return count;
    } catch (cause) {
      throw explain(this.#hostFile, cause);
    }
  }
}

function openForReading(hostFile: string): number {
  try {
    return openSync(hostFile, flags);
  } catch (cause) {
    throw explain(hostFile, cause);
  }
}

/** Reports that the file changed after its size was recorded. */
export function changed(hostFile: string, how: string): GbuildError {
  return new GbuildError('workspace-changed', `${JSON.stringify(hostFile)} ${how} while it was being packed`, {
    suggestions: [
      'Let whatever writes to it finish (a watcher, an editor, another build), then run the command again.',
    ],
    facts: { hostFile },
  });
}

const replaced = new Set(['ELOOP', 'EMLINK', 'EISDIR', 'ENOTDIR', 'ENXIO', 'EAGAIN']);

function explain(hostFile: string, cause: unknown): GbuildError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  if (code === 'ENOENT') return changed(hostFile, 'vanished');
  if (replaced.has(code)) return changed(hostFile, 'was replaced by something that is not a file');
  return new GbuildError('workspace-unreadable', `${JSON.stringify(hostFile)} cannot be read: ${messageOf(cause)}`, {
    cause,
    suggestions: code === 'EACCES' || code === 'EPERM' ? [`chmod u+r ${quoteWord(hostFile)}`] : [],
    facts: { hostFile },
  });
}
