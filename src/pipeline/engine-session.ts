import { chooseEndpoint } from '../engine/endpoint.ts';
import { connectEngine, type Engine } from '../engine/engine.ts';
import { readOwner } from '../engine/owner.ts';
import type { Host } from '../host.ts';
import type { Progress } from '../reporter/progress.ts';

export interface EngineChoice {
  host?: string | undefined;
  context?: string | undefined;
}

/** Chooses the engine, warns where the environment disagrees with itself, and prepares to talk to it. No I/O on it yet. */
export function openEngine(host: Host, choice: EngineChoice, runId: string, progress: Progress): Engine {
  const endpoint = chooseEndpoint(host, {
    ...(choice.host !== undefined && { host: choice.host }),
    ...(choice.context !== undefined && { context: choice.context }),
  });
  for (const warning of endpoint.warnings) progress.warn(warning);
  const debug = /(^|,)gbuild:(\*|engine)/.test(host.env.DEBUG ?? '')
    ? { debug: (text: string) => progress.note(`gbuild:engine ${text}`) }
    : {};
  return connectEngine(endpoint, { owner: readOwner(), runId, ...debug });
}
