import type { IncomingHttpHeaders } from 'node:http';
import type { GbuildError } from '../../errors.ts';
import { Stalled } from '../../oci/stream/pace.ts';
import type { RegistrySettings } from './settings.ts';

/** A failure that may pass: the request is tried again. `explain` makes the error for when it never passes. */
export class TransientError extends Error {
  readonly explain: (tries: number) => GbuildError;
  /** Milliseconds the registry asks to wait. */
  readonly pause: number | undefined;

  constructor(explain: (tries: number) => GbuildError, options: { cause?: unknown; pause?: number | undefined } = {}) {
    super('a registry failed for now', { cause: options.cause });
    this.explain = explain;
    this.pause = options.pause;
  }
}

/** For how many tries one counts that stalled. */
const stalledTries = 2;
const firstPause = 250;
const longestBackoff = 10_000;

/** Bytes that a transfer must get further by, that what failed before is forgotten. */
export const leastProgress = 16 * 1024;

/** Counts tries without progress, and waits between them: exponential, with full jitter, or as the registry asks. */
export class Backoff {
  readonly #settings: RegistrySettings;
  readonly #signal: AbortSignal;
  readonly #isGivenUp: () => boolean;
  #failed = 0;
  /** Tries that were used up: a stalled one took as long as many others. */
  #spent = 0;

  /** `isGivenUp`: whether nothing more is to be hoped of the registry. */
  constructor(settings: RegistrySettings, signal: AbortSignal, isGivenUp: () => boolean) {
    this.#settings = settings;
    this.#signal = signal;
    this.#isGivenUp = isGivenUp;
  }

  /** Something came through: whoever gets on slowly is not given up. */
  restart(): void {
    this.#failed = 0;
    this.#spent = 0;
  }

  /** Waits for the next try. Throws on what will not pass, when there were tries enough, or when the pause is too long. */
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

/** 408, 425, 429 and what a server cannot help: not what it does not know (501, 505) or has no room for (507). */
export function isTransientStatus(status: number): boolean {
  return [408, 425, 429].includes(status) || (status >= 500 && ![501, 505, 507, 508].includes(status));
}

/** Milliseconds to wait: seconds, or a date that is compared with the answer's own, so that no clock but theirs counts. */
export function parseRetryAfter(headers: IncomingHttpHeaders): number | undefined {
  const written = headers['retry-after'];
  if (written === undefined) return undefined;
  if (/^\d+$/.test(written)) return Number(written) * 1000;
  const pause = Date.parse(written) - Date.parse(headers.date ?? '');
  return Number.isNaN(pause) ? undefined : Math.max(0, pause);
}
