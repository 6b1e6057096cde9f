/**
 * How often a living engine is asked for a sign of life while we wait for it, and how long it may take; how long one of another
 * machine may be away while a task runs on it. Milliseconds.
 */
export interface Heartbeat {
  every: number;
  deadline: number;
  away: number;
}

export const defaultHeartbeat: Heartbeat = { every: 5_000, deadline: 10_000, away: 60_000 };
