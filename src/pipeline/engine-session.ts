import { chooseEndpoint, type Endpoint } from '../engine/endpoint.ts';
import { connectEngine, type Engine } from '../engine/engine.ts';
import { defaultHeartbeat, type Heartbeat } from '../engine/heartbeat.ts';
import { readOwner } from '../engine/owner.ts';
import { GbuildError } from '../errors.ts';
import type { Host } from '../host.ts';
import type { Progress } from '../reporter/progress.ts';
import { parseDuration } from '../spec/units.ts';
import { openKeeper } from './detached-tasks.ts';
import { openWorkspace, type Places, type WorkspaceSession } from './workspace-session.ts';

export interface EngineChoice {
  host?: string | undefined;
  context?: string | undefined;
}

/** Chooses the engine, warns where the environment disagrees with itself, and prepares to talk to it. No I/O on it yet. */
export async function openEngine(host: Host, choice: EngineChoice, runId: string, progress: Progress): Promise<Engine> {
  const endpoint = await findEndpoint(host, choice, progress);
  for (const warning of endpoint.warnings) progress.warn(warning);
  const debug = /(^|,)gbuild:(\*|engine)/.test(host.env.DEBUG ?? '')
    ? { debug: (text: string) => progress.note(`gbuild:engine ${text}`) }
    : {};
  return connectEngine(endpoint, {
    owner: readOwner(),
    runId,
    keeper: openKeeper(host),
    heartbeat: heartbeatOf(host),
    ...debug,
  });
}

/** GBUILD_RECONNECT: how long an engine of another machine may be away while a task runs on it. */
function heartbeatOf({ env }: Host): Heartbeat {
  const written = env.GBUILD_RECONNECT;
  if (!written) return defaultHeartbeat;
  const seconds = parseDuration(written);
  if (seconds !== undefined) return { ...defaultHeartbeat, away: seconds * 1000 };
  throw new GbuildError('usage', `GBUILD_RECONNECT: "${written}" is no duration`, {
    suggestions: ['export GBUILD_RECONNECT=60s   # or 10m, 1h30m'],
  });
}

/** The engine that is named or whose socket is there; where there is none, podman's own, started for this process. */
async function findEndpoint(host: Host, choice: EngineChoice, progress: Progress): Promise<Endpoint> {
  try {
    return chooseEndpoint(host, {
      ...(choice.host !== undefined && { host: choice.host }),
      ...(choice.context !== undefined && { context: choice.context }),
    });
  } catch (thrown) {
    if (!(thrown instanceof GbuildError) || thrown.code !== 'engine-unreachable') throw thrown;
    const { findIdlePodman, startPodmanService } = await import('../engine/podman-service.ts');
    const program = findIdlePodman(host);
    if (program === undefined) throw thrown;
    return startPodmanService(host, program, (text) => progress.note(text));
  }
}

export interface OpenedRun {
  session: WorkspaceSession;
  engine: Engine;
}

/**
 * The repository and the engine together. The engine is asked what it is while the repository is read; a mistake in the
 * repository is told before one in the choice of the engine.
 */
export async function openRun(
  places: Places,
  choice: EngineChoice,
  runId: string,
  progress: Progress,
  options: { ignoreLock?: boolean } = {},
): Promise<OpenedRun> {
  const opened = await attempt(() => openEngine(places.host, choice, runId, progress));
  opened.engine?.info().catch(() => {
    // Asked again, and told, by whoever needs the answer.
  });
  await opened.engine?.wake();
  try {
    const session = await openWorkspace(places, progress, options);
    if (opened.engine === undefined) throw opened.error;
    return { session, engine: opened.engine };
  } catch (error) {
    opened.engine?.close();
    throw error;
  }
}

async function attempt(open: () => Promise<Engine>): Promise<{ engine: Engine } | { engine?: never; error: unknown }> {
  try {
    return { engine: await open() };
  } catch (error) {
    return { error };
  }
}
