import { inspectState } from './container.ts';
import { ping, type SignOfLife } from './heartbeat.ts';

/** A container that is watched. */
export interface Alive {
  id: string;
  /** It may go on alone. */
  isStarted: boolean;
  /** Its end was told. */
  hasExited: boolean;
}

/** While a container runs, its own state is the sign of life: the connection that is to tell of its end may be dead. */
export function seeAlive(watched: Alive): SignOfLife {
  return async (wire, signal) => {
    if (!watched.isStarted || watched.hasExited) return ping(wire, signal);
    const { running, started } = await inspectState(wire, watched.id, signal);
    if (started && !running && !watched.hasExited) throw new Error('the container has ended, and its end is not told');
  };
}
