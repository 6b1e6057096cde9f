import type { Stop } from '../../host.ts';
import type { EngineClient } from '../client/client.ts';

/**
 * Forwards the caller's stop to a running container. `ask` sends SIGTERM and, after the grace period, SIGKILL; `kill`
 * sends SIGKILL now. The engine keeps the time (POST /stop?t=), even when gbuild itself is killed meanwhile.
 */
export function forwardStop(client: EngineClient, id: string, stop: Stop, graceSeconds: number): Disposable {
  const over = new AbortController();
  const ask = () => send(client, id, 'stop', { t: graceSeconds });
  const kill = () => send(client, id, 'kill', {});
  listen(stop.kill, kill, over.signal);
  listen(stop.ask, ask, over.signal);
  return { [Symbol.dispose]: () => over.abort() };
}

function listen(signal: AbortSignal, act: () => void, over: AbortSignal): void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true, signal: over });
}

function send(client: EngineClient, id: string, verb: 'stop' | 'kill', query: { t?: number }): void {
  const path = `/containers/${id}/${verb}`;
  // The container may have ended by itself (304, 404, 409). The wait reports a lost engine.
  const within = client.requestTimeout + (query.t ?? 0) * 1000;
  client
    .call({ what: `${verb} the container`, method: 'POST', path, query, within }, [204, 304, 404, 409])
    .catch(() => {});
}
