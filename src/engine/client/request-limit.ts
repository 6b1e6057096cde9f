import { type Readable, Transform } from 'node:stream';
import { Stalled } from '../../oci/stream/pace.ts';

/** Milliseconds in which an engine must answer a request, or bytes must move in either direction. */
export const defaultRequestTimeout = 60_000;

/** Bytes a second that any engine can unpack, hash and write to its disk. */
const leastWork = 2_000_000;

/** Returns the milliseconds of silence that work on so many bytes allows. */
export function workOn(bytes: number): number {
  return (bytes / leastWork) * 1000;
}

/** Time limit that fires when nothing moves for longer than an engine may be silent. */
export class SilenceLimit {
  readonly #over = new AbortController();
  readonly #most: () => number;
  #hasEnded = false;
  #timer: NodeJS.Timeout | undefined;

  /**
   * Starts the limit. `most` returns its milliseconds, and is called whenever something moves; Infinity means no limit.
   */
  constructor(most: () => number) {
    this.#most = most;
    this.moved();
  }

  /** Signal that fires with a Stalled. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  moved(): void {
    clearTimeout(this.#timer);
    const milliseconds = this.#most();
    if (this.#hasEnded || !Number.isFinite(milliseconds)) return;
    const giveUp = () => {
      if (!this.#hasEnded) this.#over.abort(new Stalled(`no data came for ${Math.round(milliseconds / 100) / 10} s`));
    };
    // Waits one more turn: an answer that came while this process was busy is read first.
    this.#timer = setTimeout(() => setImmediate(giveUp), milliseconds);
  }

  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }
}

/** Limit of a request until its answer begins. A body adds the time for the engine's work on it. */
export class RequestLimit extends SilenceLimit {
  readonly #sent: { bytes: number };

  constructor(milliseconds: number) {
    const sent = { bytes: 0 };
    super(() => milliseconds + workOn(sent.bytes));
    this.#sent = sent;
  }

  /** Counts the bytes of a body while they are sent: each piece is a sign of life. */
  watch(body: Readable): Readable {
    const counted = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#sent.bytes += chunk.length;
        this.moved();
        done(null, chunk);
      },
    });
    body.once('error', (thrown) => counted.destroy(thrown));
    return body.pipe(counted);
  }
}
