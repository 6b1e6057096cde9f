import type { EngineClient } from '../client/client.ts';
import { ping, type SignOfLife } from '../client/heartbeat.ts';
import { inspectState } from './container.ts';

/** Container under watch. */
export interface Alive {
  id: string;
  /** Whether it has started and may continue alone. */
  isStarted: boolean;
  /** Whether its end was reported. */
  hasExited: boolean;
}

/**
 * Returns a sign of life from the engine and its container: where the container ended without a report, only that
 * connection is dead.
 */
export function seeAlive(watched: Alive): SignOfLife {
  return async (client, signal) => {
    await ping(client, signal);
    if (!watched.isStarted || watched.hasExited) return;
    const hasEnded = await seesEnd(client, watched.id, signal);
    if (hasEnded && !watched.hasExited) throw new Error('the container has ended, and its exit code is not known');
  };
}

/**
 * Whether the container has ended. An engine that is busy with the container, for example copying files into it, does
 * not describe it meanwhile.
 */
async function seesEnd(client: EngineClient, id: string, signal: AbortSignal): Promise<boolean> {
  const moment = AbortSignal.any([signal, AbortSignal.timeout(client.heartbeat.deadline / 2)]);
  const state = await inspectState(client, id, moment).catch(() => undefined);
  return state?.started === true && !state.running;
}
