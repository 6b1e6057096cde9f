import { isDetached } from '../../../engine/container/resume.ts';
import type { ContainerMount, ContainerSpec } from '../../../engine/container/spec.ts';
import type { Engine } from '../../../engine/engine.ts';
import { messageOf } from '../../../errors.ts';
import type { Host, Stop } from '../../../host.ts';
import { containerPaths } from '../../../plan/container-paths.ts';
import { matchGlobs } from '../../../plan/match-globs.ts';
import type { PlannedTask } from '../../../plan/planned-task.ts';
import { tasksOf } from '../../../plan/task-plan.ts';
import { planWanted } from '../../../plan/wanted-outputs.ts';
import type { Progress } from '../../../reporter/progress.ts';
import type { ApplyReport } from '../../../sync/pull/apply-changes.ts';
import type { Sent } from '../../../sync/push/push.ts';
import { EarlyRead, syncKeyOf } from '../../../sync/read/read-side.ts';
import { type CopyInput, WorkspaceCopy } from '../../../sync/workspace-copy.ts';
import { type ProjectPlace, readPlace } from '../../../workspace/git/project-place.ts';
import { tellSkew } from '../../session/clock-skew.ts';
import type { WorkspaceSession } from '../../session/context.ts';
import { defaultTasks } from '../../session/open-repository.ts';
import { chooseIdentity } from '../defaults/identity.ts';
import { GitCopy } from './git-copy.ts';
import { findGitLinks } from './git-links.ts';
import { describeCopied, describeSent, reportApplied, warnOfRefused } from './sync-messages.ts';

/** Mounts of the workspace in the containers of a run. */
export interface MountedWorkspace {
  mount: ContainerMount;
  /** Second mount point, where tasks start: the project's path below the top of its repository. */
  projectDir?: string;
  /** Mounts over the git folder, or of a git folder outside of the workspace. */
  gitMounts?: ContainerMount[];
  /** Binds that every container checks before its command. */
  probe?: NonNullable<ContainerSpec['probe']>;
  /** Whether the engine sees this machine's folders. */
  isShared: boolean;
  /** Settles when the mount is complete; a container may start then. */
  ready?: Promise<unknown>;
}

/** Returns a path that is the same on each engine, because build outputs may contain it. */
export function projectDirOf(place: ProjectPlace | undefined): Pick<MountedWorkspace, 'projectDir'> {
  return place === undefined ? {} : { projectDir: `${containerPaths.repository}/${place.path}` };
}

/** Counts of the files sent to an engine that cannot see the workspace, and of those that came back. */
export interface SyncReport {
  sent: Sent;
  back: ApplyReport;
}

export interface WorkspaceInput {
  session: WorkspaceSession;
  engine: Engine;
  host: Host;
  progress: Progress;
  stop: Stop;
  /** Reference of the toolchain image. */
  image: string;
  labels: Record<string, string>;
  /** Tasks to run. */
  tasks: readonly Pick<PlannedTask, 'name' | 'reports'>[];
  /** Read that began before the engine had answered. */
  early?: EarlyRead | undefined;
}

/** Runs the work on a copy in a volume. The changes come back even when the work fails. */
export async function withSyncedCopy<T>(
  input: WorkspaceInput,
  work: (workspace: MountedWorkspace) => Promise<T>,
): Promise<{ done: T; sync: SyncReport }> {
  const { engine, session, early } = input;
  const { rootDir } = session;
  const { done, ...sync } = await withCopy(input, work, {
    early: { place: syncKeyOf(rootDir, engine.endpoint.url), ...(early !== undefined && { read: early }) },
    describe: (sent) => describeSent(engine, rootDir, sent),
    bringBack: (copy) => bringBack(copy, input),
  });
  return { done, sync };
}

/**
 * Runs a shard's work on its own copy, whatever the engine sees. Its reports are written to `reportsDir`, and nothing
 * to the workspace.
 */
export async function withOwnCopy<T>(
  input: WorkspaceInput,
  reportsDir: string,
  work: (workspace: MountedWorkspace) => Promise<T>,
): Promise<T> {
  const { engine, progress, stop, tasks } = input;
  const isReport = matchGlobs(tasks.flatMap(({ reports }) => reports));
  const { done } = await withCopy(input, work, {
    describe: (sent) => describeCopied(engine, sent),
    bringBack: async (copy) => {
      const report = await copy.fetchReports(reportsDir, isReport, stop.kill);
      warnOfRefused(progress, report.refused);
      return report;
    },
  });
  return done;
}

interface CopyUse {
  early?: NonNullable<CopyInput['early']>;
  /** Describes in one line what is sent. */
  describe: (sent: Sent) => string;
  bringBack: (copy: WorkspaceCopy) => Promise<ApplyReport>;
}

async function withCopy<T>(
  input: WorkspaceInput,
  work: (workspace: MountedWorkspace) => Promise<T>,
  { early, describe, bringBack: back }: CopyUse,
): Promise<SyncReport & { done: T }> {
  const { rootDir } = input.session;
  const shared = await copyInput(input);
  const place = await readPlace(rootDir, input.host.env);
  await using git = await GitCopy.open(shared, place);
  let sent: Sent = { files: 0, bytes: 0, removed: 0 };
  const onBegin = (all: Sent) => {
    sent = git === undefined ? all : addSent(all, git.sent);
    input.progress.note(describe(sent));
  };
  const copy = await WorkspaceCopy.open({ ...shared, onBegin, ...(early && { early }) });
  const end = async () => {
    const [report] = await Promise.all([back(copy), git?.settle(input.stop.kill)]);
    return report;
  };
  try {
    const mount = { type: 'volume', name: copy.volume, containerDir: containerPaths.workspace } as const;
    const gitMounts = git === undefined ? [] : [git.mount];
    const ready = Promise.all([copy.ready, git?.ready]);
    ready.catch(() => {
      // The failure is reported where the result is awaited.
    });
    const workspace = { mount, gitMounts, isShared: false, ready, ...projectDirOf(place) };
    const done = await work(workspace).catch(async (thrown: unknown) => {
      if (isDetached(thrown)) {
        // The task continues on the engine: its changes come back later with it.
        await Promise.all([copy.remember(), git?.leave()]);
        throw thrown;
      }
      // The first failure takes precedence; the warning says that the changes are not here.
      await end().catch((failure) =>
        input.progress.warn(`what the tasks changed was not brought back: ${messageOf(failure)}`),
      );
      throw thrown;
    });
    return { done, sent, back: await end() };
  } finally {
    await copy.close().catch(() => {
      // The loss of an engine has already failed the run. In other cases the labels let a later sweep remove the
      // volume.
    });
  }
}

function addSent(one: Sent, other: Sent): Sent {
  return {
    files: one.files + other.files,
    bytes: one.bytes + other.bytes,
    removed: one.removed + other.removed,
  };
}

async function bringBack(copy: WorkspaceCopy, input: WorkspaceInput): Promise<ApplyReport> {
  const report = await copy.bringBack(wantedOf(input), input.stop.kill);
  reportApplied(input.progress, input.session.rootDir, report);
  return report;
}

/** Brings back the changes of tasks that continued without gbuild. */
export async function bringBackFrom(volume: string, input: WorkspaceInput): Promise<ApplyReport> {
  const copy = await WorkspaceCopy.reopen({ ...(await copyInput(input)), ask: input.stop.kill }, volume);
  try {
    return await bringBack(copy, input);
  } finally {
    await copy.close();
  }
}

async function copyInput({ session, engine, host, progress, stop, image, labels }: WorkspaceInput): Promise<CopyInput> {
  const info = await engine.info();
  const { uid, gid, usernsMode } = chooseIdentity(host, info);
  // With a clock skew, a fresh edit may lie in the engine's future, or an output may seem older than its sources.
  const skew = tellSkew(host, info, engine.endpoint.machine);
  if (skew !== undefined) progress.warn(`${skew.detail}: ${skew.todo[0]}`);
  const { rootDir, spec } = session;
  return {
    engine,
    host,
    rootDir,
    workspaceDir: rootDir,
    gitLink: findGitLinks(rootDir),
    image,
    owner: { uid, gid },
    usernsMode,
    labels,
    include: spec.sync.include,
    ask: stop.ask,
  };
}

/** Reads the workspace before the engine has answered, where an earlier run sent it. */
export function readEarly({
  session,
  engine,
  host,
}: Pick<WorkspaceInput, 'session' | 'engine' | 'host'>): EarlyRead | undefined {
  const { rootDir, spec } = session;
  const input = { host, rootDir, include: spec.sync.include, gitLink: findGitLinks(rootDir) };
  return EarlyRead.begin(input, engine.endpoint.url);
}

function wantedOf({ session, tasks: ran }: WorkspaceInput): (path: string) => boolean {
  const { spec, defaults } = session;
  return planWanted({ spec, defaults, tasks: Object.keys(tasksOf(spec, defaultTasks(session))), ran });
}
