import type { Engine } from '../../engine/engine.ts';
import { isInfrastructureFailure } from '../../errors.ts';
import { silentProgress } from '../../reporter/progress.ts';
import type { PrepareRunRequest } from '../run/prepare.ts';
import { RunSecrets } from '../run/run-secrets.ts';
import type { WorkspaceSession } from '../session/context.ts';
import { openEngine } from '../session/open-engine.ts';
import { openWorkspace } from '../session/open-repository.ts';
import { openEngineExecutor } from './executor/engine-executor.ts';
import type { Executor } from './executor/executor.ts';
import type { NamedExecutor } from './parse-on.ts';
import { openSwarmExecutor } from './swarm/swarm-executor.ts';

export interface ExecutorsRequest extends Omit<PrepareRunRequest, 'engine'> {
  runId: string;
  executors: NamedExecutor[];
  /** Registry that a swarm's nodes pull the workspace from. */
  registry: string | undefined;
}

/** Executor whose engine answered. */
interface Reached {
  name: string;
  kind: NamedExecutor['kind'];
  engine: Engine;
}

/**
 * Opens the executors that the caller named. Their engines connect one after the other, because ssh may ask a person
 * something. The first is opened alone, because it may write gbuild.lock, and the others at the same time. An executor
 * that fails is left out with a warning, as long as another is left.
 */
export async function openExecutors(request: ExecutorsRequest): Promise<Executor[]> {
  const { session, progress, stop } = request;
  const secrets = request.secrets ?? new RunSecrets(request);
  const opened: Executor[] = [];
  const reached: Reached[] = [];
  const failures: unknown[] = [];
  const tell = (name: string, thrown: unknown) => {
    if (!isInfrastructureFailure(thrown) || stop.ask.aborted) throw thrown;
    failures.push(thrown);
    if (request.executors.length > 1) progress.warn(`${name} is left out: ${thrown.message}`);
  };
  const open = async ({ name, kind, engine }: Reached, known: WorkspaceSession) => {
    try {
      const openExecutor = kind === 'swarm' ? openSwarmExecutor : openEngineExecutor;
      opened.push(await openExecutor(name, { ...request, session: known, engine, secrets }));
    } catch (thrown) {
      engine.close();
      tell(name, thrown);
    }
  };
  try {
    for (const executor of request.executors) {
      await reach(request, executor).then(
        (found) => reached.push(found),
        (thrown: unknown) => tell(executor.name, thrown),
      );
    }
    while (opened.length === 0 && reached.length > 0) await open(reached.shift()!, session);
    const known = session.lock === undefined ? await openWorkspace({ ...request, progress: silentProgress }) : session;
    await Promise.all(reached.splice(0).map((each) => open(each, known)));
    if (opened.length === 0) throw failures[0];
    const order = request.executors.map(({ name }) => name);
    return opened.sort((left, right) => order.indexOf(left.name) - order.indexOf(right.name));
  } catch (thrown) {
    for (const { engine } of reached) engine.close();
    await Promise.allSettled(opened.map((executor) => executor.close()));
    throw thrown;
  }
}

async function reach({ host, runId, progress, stop }: ExecutorsRequest, executor: NamedExecutor): Promise<Reached> {
  const engine = await openEngine(host, executor.choice, runId, progress, stop);
  try {
    await engine.wake();
    await engine.info();
    return { name: executor.name, kind: executor.kind, engine };
  } catch (thrown) {
    engine.close();
    throw thrown;
  }
}
