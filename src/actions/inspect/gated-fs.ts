import { chmod, chown, createWriteStream, link, lstat, mkdir, realpath, stat, unlink, utimes } from 'node:fs';
import { Writable } from 'node:stream';

type Call = (...args: unknown[]) => void;

const closed = 'nothing is written any more';

/**
 * The functions of node:fs that tar-fs unpacks with. It goes on for a while after it was told to stop: once this is closed every call
 * fails, and closing waits for those under way, so that what was written can be removed. A file is written only where nothing is.
 */
export class GatedFs {
  readonly #files = new Set<Writable>();
  #isClosed = false;
  #underWay = 0;
  #onIdle: (() => void) | undefined;

  /** As tar-fs takes it. */
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
