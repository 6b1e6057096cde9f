import { formatBytes } from './format.ts';

interface Sample {
  /** Milliseconds of a monotonic clock. */
  at: number;
  bytes: number;
}

/** Milliseconds that a rate covers. */
const lookBack = 5000;

/** Measures the bytes of a transfer and their recent rate. */
export class TransferMeter {
  readonly #total: number;
  readonly #now: () => number;
  #samples: Sample[];
  #done = 0;

  /** Starts the measurement; `total` is the number of all bytes. */
  constructor(total: number, now: () => number = () => performance.now()) {
    this.#total = total;
    this.#now = now;
    this.#samples = [{ at: now(), bytes: 0 }];
  }

  /** Adds bytes; negative where some must be sent again. */
  add(count: number): void {
    this.#done += count;
    const at = this.#now();
    const last = this.#samples.at(-1)!;
    // A few samples a second are enough for a rate.
    if (this.#samples.length > 1 && at - this.#samples.at(-2)!.at < 200) Object.assign(last, { at, bytes: this.#done });
    else this.#samples.push({ at, bytes: this.#done });
    while (this.#samples.length > 2 && at - this.#samples[1]!.at > lookBack) this.#samples.shift();
  }

  /** Describes the transfer: `12 MB of 45 MB, 3.2 MB/s`. */
  describe(): string {
    const first = this.#samples[0]!;
    const seconds = (this.#now() - first.at) / 1000;
    const rate = seconds > 0.1 ? Math.max(0, Math.round((this.#done - first.bytes) / seconds)) : 0;
    const sum = `${formatBytes(this.#done)} of ${formatBytes(this.#total)}`;
    return rate === 0 ? sum : `${sum}, ${formatBytes(rate)}/s`;
  }
}
