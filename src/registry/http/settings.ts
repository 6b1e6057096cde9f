import { setTimeout as sleepFor } from 'node:timers/promises';

/** Limits of a registry client. Randomness and sleep are values, so that a test can control them. */
export interface RegistrySettings {
  /** Number of tries in a row without progress. */
  attempts: number;
  /**
   * Seconds without movement, or with less than a thousand bytes a second, after which a request is aborted and
   * repeated.
   */
  stallSeconds: number;
  connectSeconds: number;
  /** Longest pause in seconds that a registry may ask for (Retry-After). */
  longestPauseSeconds: number;
  /** Bytes for each request, after a blob could not be sent in one. */
  chunkBytes: number;
  /** Returns a number from 0 up to 1. */
  random(): number;
  /** Waits; rejects early when the signal fires. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const defaultSettings: RegistrySettings = {
  attempts: 5,
  stallSeconds: 30,
  connectSeconds: 10,
  longestPauseSeconds: 60,
  chunkBytes: 16 * 1024 ** 2,
  random: Math.random,
  sleep: async (milliseconds, signal) => void (await sleepFor(milliseconds, undefined, { signal })),
};
