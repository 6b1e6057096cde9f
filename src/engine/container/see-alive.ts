import type { EngineClient } from '../client/client.ts';
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
  return async (client, signal) => {
    await ping(client, signal);
    if (!watched.isStarted || watched.hasExited) return;
    const hasEnded = await seesEnd(client, watched.id, signal);
    if (hasEnded && !watched.hasExited) throw new Error('the container has ended, and its exit code is not known');
  };
}

/** An engine that is busy with the container, as with files that are put into it, does not describe it meanwhile. */
async function seesEnd(client: EngineClient, id: string, signal: AbortSignal): Promise<boolean> {
  const moment = AbortSignal.any([signal, AbortSignal.timeout(client.heartbeat.deadline / 2)]);
  const state = await inspectState(client, id, moment).catch(() => undefined);
  return state?.started === true && !state.running;
}
