import type { ContainerMount, ContainerSpec } from '../engine/container-spec.ts';
import type { Engine } from '../engine/engine.ts';
import { isDetached } from '../engine/resume.ts';
import { GbuildError, messageOf } from '../errors.ts';
import type { Host, Stop } from '../host.ts';
import { containerPaths } from '../plan/paths.ts';
import type { PlannedTask } from '../plan/task-plan.ts';
import { tasksOf } from '../plan/task-plan.ts';
import { matchGlobs, planWanted } from '../plan/wanted-outputs.ts';
import type { Progress } from '../reporter/progress.ts';
import { type CopyInput, WorkspaceCopy } from '../sync/workspace-copy.ts';
import { tellSkew } from './clock-skew.ts';
import { chooseIdentity } from './identity.ts';
import { describeCopied, describeSent, tellLanded, tellRefused } from './tell-sync.ts';
import { defaultTasks, type WorkspaceSession } from './workspace-session.ts';
import { WayMemory } from './workspace-way.ts';

/** How the workspace stands in the containers of a run. */
export interface CarriedWorkspace {
  mount: ContainerMount;
  /** Binds alone: what every container makes sure of. */
  probe?: NonNullable<ContainerSpec['probe']>;
  /** The engine sees this machine's folders. */
  isShared: boolean;
}

export interface CarryInput {
  session: WorkspaceSession;
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
  /** Of the image to build in. */
  image: string;
  labels: Record<string, string>;
  /** That run. */
  tasks: readonly Pick<PlannedTask, 'name' | 'reports'>[];
  /** Of a shard: it has a copy of its own on any engine, and what its reports are lands here, nothing in the workspace. */
  reportsDir?: string;
}

/**
 * Does the work with the workspace on the engine: bound where the engine sees it, else in a volume, whose changes come back
 * whatever became of the work. A second wish to stop ends the bringing back, too.
 */
export async function withWorkspace<T>(
  input: CarryInput,
  work: (workspace: CarriedWorkspace) => Promise<T>,
): Promise<T> {
  const { engine, host, session, image, reportsDir } = input;
  if (reportsDir !== undefined) return workOnOwnCopy(input, reportsDir, work);
  const { rootDir } = session;
  const memory = await WayMemory.open(engine, host, rootDir);
  const known = memory.read();
  const way = known ?? ((await engine.seesFolder(image, rootDir)) ? 'mount' : 'sync');
  if (known !== way) memory.write(way);
  if (way === 'mount') {
    try {
      return await work(boundWorkspace(rootDir));
    } catch (thrown) {
      // Thrown before anything runs: the memory was of another time.
      if (!isBlindTo(rootDir, thrown)) throw thrown;
      memory.write('sync');
    }
  }
  return workOnCopy(input, work);
}

function boundWorkspace(rootDir: string): CarriedWorkspace {
  const bind = { hostDir: rootDir, containerDir: containerPaths.workspace };
  return { mount: { type: 'bind', ...bind }, probe: bind, isShared: true };
}

function isBlindTo(rootDir: string, thrown: unknown): boolean {
  return thrown instanceof GbuildError && thrown.code === 'engine-blind' && thrown.facts.hostDir === rootDir;
}

async function workOnCopy<T>(input: CarryInput, work: (workspace: CarriedWorkspace) => Promise<T>): Promise<T> {
  const copy = await WorkspaceCopy.open(await copyInput(input));
  try {
    const mount = { type: 'volume', name: copy.volume, containerDir: containerPaths.workspace } as const;
    const done = await work({ mount, isShared: false }).catch(async (thrown: unknown) => {
      if (isDetached(thrown)) {
        // The task goes on there: what it changes comes back with it.
        copy.remember();
        throw thrown;
      }
      // The first failure tells more; the second says that what was changed is not here.
      await bringBack(copy, input).catch((failure) =>
        input.progress.warn(`what the tasks changed did not come back: ${messageOf(failure)}`),
      );
      throw thrown;
    });
    await bringBack(copy, input);
    return done;
  } finally {
    await copy.close().catch(() => {
      // An engine that is lost has failed the run already; else the labels let a later sweep take it away.
    });
  }
}

/** Several of them at once change nothing of one another's. */
async function workOnOwnCopy<T>(
  input: CarryInput,
  reportsDir: string,
  work: (workspace: CarriedWorkspace) => Promise<T>,
): Promise<T> {
  const { progress, stop, tasks } = input;
  const isReport = matchGlobs(tasks.flatMap(({ reports }) => reports));
  const copy = await WorkspaceCopy.open(await copyInput(input));
  try {
    const before = await copy.listPrints(isReport, stop.ask);
    const mount = { type: 'volume', name: copy.volume, containerDir: containerPaths.workspace } as const;
    const done = await work({ mount, isShared: false }).catch(async (thrown: unknown) => {
      if (!isDetached(thrown)) await copy.fetchReports(reportsDir, isReport, before, stop.kill).catch(() => {});
      throw thrown;
    });
    const { refused } = await copy.fetchReports(reportsDir, isReport, before, stop.kill);
    tellRefused(progress, refused);
    return done;
  } finally {
    await copy.close().catch(() => {});
  }
}

async function bringBack(copy: WorkspaceCopy, input: CarryInput): Promise<void> {
  const landed = await copy.bringBack(wantedOf(input), input.stop.kill);
  tellLanded(input.progress, input.session.rootDir, landed);
}

/** Brings back what tasks changed that ran on without gbuild. */
export async function bringBackFrom(volume: string, input: CarryInput): Promise<void> {
  const copy = await WorkspaceCopy.reopen({ ...(await copyInput(input)), ask: input.stop.kill }, volume);
  try {
    await bringBack(copy, input);
  } finally {
    await copy.close();
  }
}

async function copyInput({
  session,
  engine,
  host,
  progress,
  stop,
  image,
  labels,
  reportsDir,
}: CarryInput): Promise<CopyInput> {
  const info = await engine.info();
  const { uid, gid, usernsMode } = chooseIdentity(host, info);
  // What was edited a moment ago would be of the future there, or what is built there older than its sources.
  const skew = tellSkew(host, info, engine.endpoint.machine);
  if (skew !== undefined) progress.warn(`${skew.detail}: ${skew.todo[0]}`);
  const { rootDir, spec } = session;
  return {
    engine,
    host,
    rootDir,
    image,
    owner: { uid, gid },
    usernsMode,
    labels,
    include: spec.sync.include,
    ask: stop.ask,
    onBegin: (sent) =>
      progress.note(reportsDir === undefined ? describeSent(engine, rootDir, sent) : describeCopied(engine, sent)),
  };
}

function wantedOf({ session, tasks: ran }: CarryInput): (path: string) => boolean {
  const { spec, defaults } = session;
  return planWanted({ spec, defaults, tasks: Object.keys(tasksOf(spec, defaultTasks(session))), ran });
}
