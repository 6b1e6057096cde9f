/** Rate that a transfer must reach while its reader or writer waits. */
export interface Pace {
  /** Number of seconds of waiting in which some bytes must move. */
  seconds: number;
  /** Bytes that must come in these seconds: a few bytes now and then are no transfer. */
  leastBytes: number;
}

/** Failure: no or few bytes moved for so long that the rest will not come. */
export class Stalled extends Error {}

/** Bytes a second below which a transfer counts as stalled: a tenth of a modem's rate. */
const leastRate = 1_000;

/** Returns the pace of a transfer that may be silent for so many seconds. */
export function paceOf(seconds: number): Pace {
  return { seconds, leastBytes: seconds * leastRate };
}

/** Measures the time spent waiting for a transfer; the work of its reader or writer in between does not count. */
export class PaceKeeper {
  readonly #pace: Pace;
  /** Milliseconds of waiting, and moved bytes, in the present window. */
  #waited = 0;
  #moved = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
  }

  moved(bytes: number): void {
    this.#moved += bytes;
  }

  /** Waits for the next piece. Where it does not come in time, calls `drop` with a Stalled and throws it. */
  async wait<T>(next: Promise<T>, drop: (error: Stalled) => void): Promise<T> {
    const limit = this.#pace.seconds * 1000;
    const began = performance.now();
    const carried = this.#waited;
    let timer: NodeJS.Timeout | undefined;
    const stalled = new Promise<never>((_, reject) => {
      const fail = (error: Stalled) => {
        reject(error);
        drop(error);
      };
      const endWindow = () => {
        if (this.#moved < Math.max(1, this.#pace.leastBytes)) return fail(this.#tooLittle());
        this.#moved = 0;
        // The present wait began in the middle of the window.
        timer = setTimeout(endWindow, carried);
      };
      timer = setTimeout(endWindow, limit - carried);
    });
    try {
      return await Promise.race([next, stalled]);
    } finally {
      clearTimeout(timer);
      this.#waited = (carried + performance.now() - began) % limit;
    }
  }

  #tooLittle(): Stalled {
    const { seconds, leastBytes } = this.#pace;
    const what = this.#moved === 0 ? 'nothing' : `less than ${Math.round(leastBytes)} bytes`;
    return new Stalled(`${what} came in ${Math.round(seconds * 10) / 10} s`);
  }
}

/** Yields the chunks of a source, each awaited at the pace; the reader's own pauses do not count. */
export async function* readAtPace<T extends { length: number }>(
  source: AsyncIterable<T>,
  pace: Pace,
  drop: (error: Stalled) => void,
): AsyncGenerator<T> {
  const keeper = new PaceKeeper(pace);
  const chunks = source[Symbol.asyncIterator]();
  let isOver = false;
  try {
    for (;;) {
      const { value, done } = await keeper.wait(chunks.next(), drop);
      isOver = done === true;
      if (isOver) return;
      keeper.moved(value.length);
      yield value;
    }
  } finally {
    if (!isOver) void chunks.return?.().catch(() => {});
  }
}
