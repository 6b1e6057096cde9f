import { chmod, chown, createWriteStream, link, lstat, mkdir, realpath, stat, unlink, utimes } from 'node:fs';
import { Writable } from 'node:stream';

type Call = (...args: unknown[]) => void;

const closed = 'nothing is written any more';

/**
 * Functions of node:fs that tar-fs unpacks with. tar-fs continues for a while after it is stopped. Once this is closed,
 * every call fails, and closing waits for running calls, so that the written files can be removed. A file is written
 * only where the path is free.
 */
export class GatedFs {
  readonly #files = new Set<Writable>();
  #isClosed = false;
  #underWay = 0;
  #onIdle: (() => void) | undefined;

  /** Functions in the form that tar-fs takes. */
  readonly fs: Record<string, unknown> = {
    ...Object.fromEntries(
      Object.entries({ chmod, chown, link, lstat, mkdir, realpath, stat, unlink, utimes }).map(([name, call]) => [
        name,
        this.#gate(call as Call),
      ]),
    ),
    createWriteStream: (path: string) => this.#openFile(path),
  };

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const file of this.#files) file.destroy();
    if (this.#underWay > 0)
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
  }

  #gate(call: Call): Call {
    return (...args) => {
      const done = args.pop() as Call;
      if (this.#isClosed) return done(new Error(closed));
      this.#underWay += 1;
      call(...args, (...answer: unknown[]) => {
        done(...answer);
        this.#leave();
      });
    };
  }

  #openFile(path: string): Writable {
    if (this.#isClosed) return new Writable().destroy(new Error(closed));
    const file = createWriteStream(path, { flags: 'wx' });
    this.#underWay += 1;
    this.#files.add(file);
    file.once('close', () => {
      this.#files.delete(file);
      this.#leave();
    });
    return file;
  }

  #leave(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#onIdle?.();
  }
}
