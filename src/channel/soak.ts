/**
 * Returns the seconds for which a release has to stay where it is; 0 when it may go on. `since` is a time in RFC 3339,
 * `now` one in milliseconds. A time of another machine that is ahead counts from then on.
 */
export function readSoakLeft(since: string, soak: number, now: number): number {
  return Math.max(0, Math.ceil((Date.parse(since) + soak * 1000 - now) / 1000));
}
