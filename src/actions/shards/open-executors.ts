import type { Engine } from '../../engine/engine.ts';
import { GbuildError } from '../../errors.ts';
import { silentProgress } from '../../reporter/progress.ts';
import type { PrepareRequest } from '../run/prepare.ts';
import { RunSecrets } from '../run/run-secrets.ts';
import { openEngine } from '../session/open-engine.ts';
import { openWorkspace, type WorkspaceSession } from '../session/open-repository.ts';
import { openEnginePlace } from './executor/engine-executor.ts';
import type { ShardPlace } from './executor/executor.ts';
import type { NamedPlace } from './parse-on.ts';
import { openSwarmPlace } from './swarm/swarm-executor.ts';

export interface PlacesRequest extends Omit<PrepareRequest, 'engine'> {
  runId: string;
  places: NamedPlace[];
  /** That a swarm's nodes get the workspace from. */
  registry: string | undefined;
}

/** A place whose engine was reached. */
interface Reached {
  name: string;
  kind: NamedPlace['kind'];
  engine: Engine;
}

/**
 * Opens the places that the caller named: their engines one after the other, for ssh may ask a person something; then one alone,
 * which may write gbuild.lock, and the others at once. What fails is told and left out, as long as something is left.
 */
export async function openPlaces(request: PlacesRequest): Promise<ShardPlace[]> {
  const { session, progress, stop } = request;
  const secrets = request.secrets ?? new RunSecrets(request);
  const opened: ShardPlace[] = [];
  const reached: Reached[] = [];
  const failures: unknown[] = [];
  const tell = (name: string, thrown: unknown) => {
    if (!(thrown instanceof GbuildError) || thrown.exitCode !== 3 || stop.ask.aborted) throw thrown;
    failures.push(thrown);
    if (request.places.length > 1) progress.warn(`${name} is left out: ${thrown.message}`);
  };
  const open = async ({ name, kind, engine }: Reached, known: WorkspaceSession) => {
    try {
      const openPlace = kind === 'swarm' ? openSwarmPlace : openEnginePlace;
      opened.push(await openPlace(name, { ...request, session: known, engine, secrets }));
    } catch (thrown) {
      engine.close();
      tell(name, thrown);
    }
  };
  try {
    for (const place of request.places) {
      await reach(request, place).then(
        (found) => reached.push(found),
        (thrown: unknown) => tell(place.name, thrown),
      );
    }
    while (opened.length === 0 && reached.length > 0) await open(reached.shift()!, session);
    const known = session.lock === undefined ? await openWorkspace(request, silentProgress) : session;
    await Promise.all(reached.splice(0).map((each) => open(each, known)));
    if (opened.length === 0) throw failures[0];
    const order = request.places.map(({ name }) => name);
    return opened.sort((left, right) => order.indexOf(left.name) - order.indexOf(right.name));
  } catch (thrown) {
    for (const { engine } of reached) engine.close();
    await Promise.allSettled(opened.map((place) => place.close()));
    throw thrown;
  }
}

async function reach({ host, runId, progress, stop }: PlacesRequest, place: NamedPlace): Promise<Reached> {
  const engine = await openEngine(host, place.choice, runId, progress, stop);
  try {
    await engine.wake();
    await engine.info();
    return { name: place.name, kind: place.kind, engine };
  } catch (thrown) {
    engine.close();
    throw thrown;
  }
}
