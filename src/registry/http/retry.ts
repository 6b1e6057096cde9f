import type { IncomingHttpHeaders } from 'node:http';
import type { GbuildError } from '../../errors.ts';
import { Stalled } from '../../oci/stream/pace.ts';
import type { RegistrySettings } from './settings.ts';

/** Failure that may pass: the request is repeated. `explain` makes the error when it never passes. */
export class TransientError extends Error {
  readonly explain: (tries: number) => GbuildError;
  /** Milliseconds that the registry asks to wait. */
  readonly pause: number | undefined;

  constructor(explain: (tries: number) => GbuildError, options: { cause?: unknown; pause?: number | undefined } = {}) {
    super('a registry failed for now', { cause: options.cause });
    this.explain = explain;
    this.pause = options.pause;
  }
}

/** Number of tries that a stalled one counts for. */
const stalledTries = 2;
const firstPause = 250;
const longestBackoff = 10_000;

/** Bytes by which a transfer must advance to reset the count of failures. */
export const leastProgress = 16 * 1024;

/** Counts tries without progress, and waits between them: exponentially, with full jitter, or as the registry asks. */
export class Backoff {
  readonly #settings: RegistrySettings;
  readonly #signal: AbortSignal;
  readonly #isGivenUp: () => boolean;
  #failed = 0;
  /** Number of used tries: a stalled one took as long as several others. */
  #spent = 0;

  /** Starts the count. `isGivenUp` returns whether the registry has stalled too often. */
  constructor(settings: RegistrySettings, signal: AbortSignal, isGivenUp: () => boolean) {
    this.#settings = settings;
    this.#signal = signal;
    this.#isGivenUp = isGivenUp;
  }

  /** Resets the count after progress: a slow transfer is not given up. */
  restart(): void {
    this.#failed = 0;
    this.#spent = 0;
  }

  /** Waits for the next try. Throws for a permanent failure, after the last try, and when the pause is too long. */
  async pause(thrown: unknown): Promise<void> {
    this.#signal.throwIfAborted();
    if (!(thrown instanceof TransientError)) throw thrown;
    this.#failed += 1;
    this.#spent += thrown.cause instanceof Stalled ? stalledTries : 1;
    const { attempts, longestPauseSeconds, random, sleep } = this.#settings;
    const tooLong = (thrown.pause ?? 0) > longestPauseSeconds * 1000;
    if (this.#spent >= attempts || tooLong || this.#isGivenUp()) throw thrown.explain(this.#failed);
    const backoff = random() * Math.min(longestBackoff, firstPause * 2 ** (this.#failed - 1));
    try {
      await sleep(Math.max(thrown.pause ?? 0, backoff), this.#signal);
    } finally {
      this.#signal.throwIfAborted();
    }
  }
}

/**
 * Whether a status may pass: 408, 425, 429 and server errors, except for unknown features (501, 505) and full storage
 * (507).
 */
export function isTransientStatus(status: number): boolean {
  return [408, 425, 429].includes(status) || (status >= 500 && ![501, 505, 507, 508].includes(status));
}

/**
 * Returns milliseconds to wait: from seconds, or from a date relative to the answer's own, so that only the registry's
 * clock counts.
 */
export function parseRetryAfter(headers: IncomingHttpHeaders): number | undefined {
  const written = headers['retry-after'];
  if (written === undefined) return undefined;
  if (/^\d+$/.test(written)) return Number(written) * 1000;
  const pause = Date.parse(written) - Date.parse(headers.date ?? '');
  return Number.isNaN(pause) ? undefined : Math.max(0, pause);
}
