/**
 * Times of the watch over an engine, in milliseconds: between two signs of life, and for one answer. `away` is how long
 * a remote engine may be unreachable while a task runs on it.
 */
export interface Heartbeat {
  every: number;
  deadline: number;
  away: number;
}

export const defaultHeartbeat: Heartbeat = { every: 5_000, deadline: 10_000, away: 60_000 };
