import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';

const keptBytes = 8_192;

/** End of an ssh process: its stderr, and ssh's own 255 or the remote exit code. */
export interface SshEnd {
  exitCode: number | undefined;
  stderr: string;
}

/**
 * Connection to an engine over the standard streams of a child process. It offers what node:http needs of a socket. The
 * end of either direction is passed on. A failed child destroys the stream with the error that `explain` makes of its
 * last lines.
 */
export class SshStream extends Duplex {
  readonly #child: ChildProcessWithoutNullStreams;
  #received = false;
  #stalled = false;

  constructor(child: ChildProcessWithoutNullStreams, explain: (end: SshEnd, received: boolean) => Error) {
    super({ allowHalfOpen: false });
    this.#child = child;
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-keptBytes);
    });
    child.stdout.on('data', (chunk: Buffer) => {
      this.#received = true;
      if (!this.push(chunk)) child.stdout.pause();
    });
    child.stdin.on('error', () => {
      // The child is about to end and explains the failure.
    });
    child.once('error', (error: NodeJS.ErrnoException) => this.destroy(error));
    child.once('close', (code) => {
      const failed = code !== 0 && (!this.#received || code === 255);
      if (failed) this.destroy(explain({ exitCode: code ?? undefined, stderr }, this.#received));
      else if (this.#stalled) this.destroy(new Error('the other side closed the connection'));
      else this.push(null);
    });
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  /** Writes a chunk. A failed write is answered when the child has ended, because its end has the reason. */
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#child.stdin.write(chunk, (error) => {
      if (error) this.#stalled = true;
      else done();
    });
  }

  override _final(done: () => void): void {
    this.#child.stdin.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy();
    this.#child.kill();
    done(error);
  }

  ref(): this {
    return this.#hold('ref');
  }

  unref(): this {
    return this.#hold('unref');
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  #hold(how: 'ref' | 'unref'): this {
    this.#child[how]();
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr])
      if (stream instanceof Socket) stream[how]();
    return this;
  }
}
