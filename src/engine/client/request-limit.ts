import { type Readable, Transform } from 'node:stream';
import { Stalled } from '../../oci/stream/pace.ts';

/** Milliseconds in which an engine answers a request, or something moves in what is sent either way. */
export const defaultRequestTimeout = 60_000;

/** Bytes a second that any engine unpacks, hashes and writes to its disk. */
const leastWork = 2_000_000;

/** Milliseconds for which an engine may be silent over its work with so many bytes. */
export function workOn(bytes: number): number {
  return (bytes / leastWork) * 1000;
}

/** Fires when nothing moves for longer than an engine may be silent. */
export class SilenceLimit {
  readonly #over = new AbortController();
  readonly #most: () => number;
  #hasEnded = false;
  #timer: NodeJS.Timeout | undefined;

  /** `most`: milliseconds, asked for anew whenever something moves; Infinity for no limit. */
  constructor(most: () => number) {
    this.#most = most;
    this.moved();
  }

  /** Fires with a Stalled. */
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
    // A turn later: an answer that came while this process itself was busy is read first.
    this.#timer = setTimeout(() => setImmediate(giveUp), milliseconds);
  }

  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }
}

/** The limit of a request until its answer begins: its body gives it time for the work with that. */
export class RequestLimit extends SilenceLimit {
  readonly #sent: { bytes: number };

  constructor(milliseconds: number) {
    const sent = { bytes: 0 };
    super(() => milliseconds + workOn(sent.bytes));
    this.#sent = sent;
  }

  /** Counts a body on its way: each piece that goes is a sign of life. */
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
