import { setTimeout as sleepFor } from 'node:timers/promises';

/** How patient a registry client is. Chance and sleep are values, so that a test can decide them. */
export interface RegistrySettings {
  /** How often something is tried in a row without getting further. */
  attempts: number;
  /** A request in which nothing moves for so long, or less than a thousand bytes a second, is dropped, and tried again. */
  stallSeconds: number;
  connectSeconds: number;
  /** A registry that asks for a longer pause (Retry-After) is not waited for. */
  longestPauseSeconds: number;
  /** Bytes a request, once a blob could not be sent in one. */
  chunkBytes: number;
  /** 0 up to 1. */
  random(): number;
  /** Ends early, by a throw, when the signal fires. */
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
