import { defaultHeartbeat, type Heartbeat } from '../../engine/client/heartbeat-times.ts';
import { defaultRequestTimeout } from '../../engine/client/request-limit.ts';
import { chooseEndpoint, type EndpointContext } from '../../engine/endpoint/choose-endpoint.ts';
import { connectEngine, type Endpoint, type Engine } from '../../engine/engine.ts';
import { readOwner } from '../../fs/process-owner.ts';
import type { Host, Stop } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { AppContext, WorkspaceSession } from './context.ts';
import { openDetachedRuns } from './detached-runs.ts';
import type { EngineChoice } from './engine-choice.ts';
import { openWorkspace } from './open-repository.ts';
import { readDuration, readRequestTimeout } from './read-duration.ts';
import { readUserConfig, userConfigFile } from './user-config.ts';

/** Chooses the engine. The caller's config.yml decides where neither a flag nor the environment names one. */
export function chooseEngine(
  host: Host,
  { host: address, context, machine }: EngineChoice,
  options: Omit<EndpointContext, 'readConfigured'>,
): Promise<Endpoint> {
  const readConfigured = async () => ({ name: await readUserConfig(host), file: userConfigFile(host) });
  return chooseEndpoint(host, { host: address, context, machine }, { ...options, readConfigured });
}

/**
 * Chooses the engine, warns where the environment contradicts itself, and prepares the client. Sends no request to the
 * engine yet.
 */
export async function openEngine(
  host: Host,
  choice: EngineChoice,
  runId: string,
  progress: Progress,
  stop?: Stop,
): Promise<Engine> {
  const endpoint = await chooseEngine(host, choice, {
    say: (text) => progress.note(text),
    mayStart: true,
    ...(stop && { signal: stop.ask }),
  });
  for (const warning of endpoint.warnings) progress.warn(warning);
  const debug = /(^|,)gbuild:(\*|engine)/.test(host.env.DEBUG ?? '')
    ? { debug: (text: string) => progress.note(`gbuild:engine ${text}`) }
    : {};
  return connectEngine(endpoint, {
    owner: readOwner(),
    runId,
    detachedRuns: openDetachedRuns(host),
    ...limitsOf(host),
    ...debug,
  });
}

/**
 * Reads the limits. GBUILD_RECONNECT: how long a remote engine may be unreachable while a task runs on it.
 * GBUILD_REQUEST_TIMEOUT: how long any engine may be silent.
 */
function limitsOf(host: Host): { heartbeat: Heartbeat; requestTimeout: number } {
  const seconds = readDuration(host, 'GBUILD_RECONNECT');
  const requestTimeout = (readRequestTimeout(host) ?? 0) * 1000 || defaultRequestTimeout;
  const { every, deadline, away } = defaultHeartbeat;
  return {
    requestTimeout,
    heartbeat: {
      every: Math.min(every, requestTimeout / 2),
      deadline: Math.min(deadline, requestTimeout),
      away: seconds === undefined ? away : seconds * 1000,
    },
  };
}

export interface OpenedRun {
  session: WorkspaceSession;
  engine: Engine;
}

/**
 * Opens the repository and the engine together: the engine answers its first request while the repository is read. A
 * mistake in the repository takes precedence over one in the choice of the engine.
 */
export async function openRun(
  context: AppContext,
  choice: EngineChoice,
  runId: string,
  options: { ignoreLock?: boolean; stop?: Stop } = {},
): Promise<OpenedRun> {
  const opened = await attempt(() => openEngine(context.host, choice, runId, context.progress, options.stop));
  opened.engine?.info().catch(() => {
    // The failure is reported where the answer is needed: the request is then repeated.
  });
  await opened.engine?.wake();
  try {
    const session = await openWorkspace(context, options);
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
