import type { ContainerMount, ContainerSpec } from '../engine/container-spec.ts';
import type { Engine } from '../engine/engine.ts';
import { GbuildError, messageOf } from '../errors.ts';
import type { Host, Stop } from '../host.ts';
import { containerPaths } from '../plan/paths.ts';
import type { PlannedTask } from '../plan/task-plan.ts';
import { tasksOf } from '../plan/task-plan.ts';
import { planWanted } from '../plan/wanted-outputs.ts';
import { formatBytes } from '../reporter/format.ts';
import type { Progress } from '../reporter/progress.ts';
import type { Landed } from '../sync/landing.ts';
import type { Sent } from '../sync/push.ts';
import { WorkspaceCopy } from '../sync/workspace-copy.ts';
import { chooseIdentity } from './identity.ts';
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
}

/**
 * Does the work with the workspace on the engine: bound where the engine sees it, else in a volume, whose changes come back
 * whatever became of the work. A second wish to stop ends the bringing back, too.
 */
export async function withWorkspace<T>(
  input: CarryInput,
  work: (workspace: CarriedWorkspace) => Promise<T>,
): Promise<T> {
  const { engine, host, session, image } = input;
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
  const copy = await openCopy(input);
  try {
    const mount = { type: 'volume', name: copy.volume, containerDir: containerPaths.workspace } as const;
    const done = await work({ mount, isShared: false }).catch(async (thrown: unknown) => {
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

async function bringBack(copy: WorkspaceCopy, input: CarryInput): Promise<void> {
  const landed = await copy.bringBack(wantedOf(input), input.stop.kill);
  tell(input.progress, input.session.rootDir, landed);
}

async function openCopy({ session, engine, host, progress, stop, image, labels }: CarryInput): Promise<WorkspaceCopy> {
  const { uid, gid, usernsMode } = chooseIdentity(host, await engine.info());
  const { rootDir, spec } = session;
  return WorkspaceCopy.open({
    engine,
    host,
    rootDir,
    image,
    owner: { uid, gid },
    usernsMode,
    labels,
    include: spec.sync.include,
    ask: stop.ask,
    onBegin: (sent) => progress.note(announce(engine, rootDir, sent)),
  });
}

function wantedOf({ session, tasks: ran }: CarryInput): (path: string) => boolean {
  const { spec, defaults } = session;
  return planWanted({ spec, defaults, tasks: Object.keys(tasksOf(spec, defaultTasks(session))), ran });
}

function announce({ endpoint }: Engine, rootDir: string, { files, bytes, removed }: Sent): string {
  const gone = removed > 0 ? `, ${removed} removed` : '';
  if (files + removed === 0)
    return `the engine at ${endpoint.url} does not see ${rootDir}: what was sent there before is up to date`;
  return `the engine at ${endpoint.url} does not see ${rootDir}: the workspace is sent there (${counted(files)}, ${formatBytes(bytes)}${gone})`;
}

const mostNamed = 10;

function tell(progress: Progress, rootDir: string, { files, bytes, removed, kept, refused }: Landed): void {
  const gone = removed > 0 ? `, ${removed} removed` : '';
  if (files + removed > 0) progress.note(`brought back to ${rootDir}: ${counted(files)}, ${formatBytes(bytes)}${gone}`);
  warnOf(progress, 'changed here while the tasks ran, and left as it is here', kept);
  warnOf(progress, 'not brought back from the engine', refused);
}

function warnOf(progress: Progress, what: string, paths: string[]): void {
  for (const path of paths.slice(0, mostNamed)) progress.warn(`${what}: ${escaped(path)}`);
  if (paths.length > mostNamed) progress.warn(`${what}: ${paths.length - mostNamed} more`);
}

/** Names come from a container: no control character of theirs reaches the terminal. */
function escaped(path: string): string {
  return /[^ -~\u00a0-\uffff]/.test(path) ? JSON.stringify(path) : path;
}

function counted(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}
