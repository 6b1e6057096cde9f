import type { Wire } from '../client/client.ts';
import { ping, type SignOfLife } from '../client/heartbeat.ts';
import { inspectState } from './container.ts';

/** A container that is watched. */
export interface Alive {
  id: string;
  /** It may go on alone. */
  isStarted: boolean;
  /** Its end was told. */
  hasExited: boolean;
}

/** The engine's sign of life; and that a container which ended was told to have: that connection may be dead alone. */
export function seeAlive(watched: Alive): SignOfLife {
  return async (wire, signal) => {
    await ping(wire, signal);
    if (!watched.isStarted || watched.hasExited) return;
    const hasEnded = await seesEnd(wire, watched.id, signal);
    if (hasEnded && !watched.hasExited) throw new Error('the container has ended, and its end is not told');
  };
}

/** An engine that is busy with the container, as with files that are put into it, does not describe it meanwhile. */
async function seesEnd(wire: Wire, id: string, signal: AbortSignal): Promise<boolean> {
  const moment = AbortSignal.any([signal, AbortSignal.timeout(wire.heartbeat.deadline / 2)]);
  const state = await inspectState(wire, id, moment).catch(() => undefined);
  return state?.started === true && !state.running;
}
