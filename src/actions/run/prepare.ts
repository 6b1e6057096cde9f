import { GbuildError } from '../../errors.ts';
import type { Shard } from '../../plan/shard.ts';
import { planTasks, type TaskPlan } from '../../plan/task-plan.ts';
import type { PublishedPort } from '../../spec/types.ts';
import type { EnsuredImage } from '../../toolchain/build/ensure.ts';
import { readHostFiles } from '../../toolchain/host/host-files.ts';
import { type HostTrust, readHostTrust } from '../../toolchain/host/trust.ts';
import { readCommit } from '../../workspace/commit/revision.ts';
import type { RepoContext } from '../session/context.ts';
import { defaultTasks } from '../session/open-repository.ts';
import type { Frozen } from '../toolchain/assert-lock-fits.ts';
import { ensureToolchainReady } from '../toolchain/ensure-ready.ts';
import type { RunContext } from './container/container-plan.ts';
import { chooseIdentity } from './defaults/identity.ts';
import { relayProxies } from './defaults/proxy-relay.ts';
import { readUserTables } from './defaults/read-user-tables.ts';
import { RunSecrets } from './run-secrets.ts';
import { warnOfLimits } from './warn-of-limits.ts';

/** Tasks of a repository to run on an engine. */
export interface PrepareRunRequest extends RepoContext {
  names: string[];
  args: string[];
  /** Ports of the last named task. */
  publish?: PublishedPort[];
  frozen: Frozen;
  /** Whether to run as for a release: in exactly the locked image, where a registry has it. */
  exact?: boolean;
  /** Called when the tasks are valid and the engine has its first request. */
  onAsked?: () => void;
  /** Secrets of the command that this run is part of. */
  secrets?: RunSecrets;
}

/** Run whose tasks can start, except for the workspace. */
export interface PreparedRun {
  plan: TaskPlan;
  /** Image to build in. */
  toolchain: EnsuredImage;
  context: Omit<RunContext, 'workspace'>;
  /** All secrets that the tasks need, already fetched. */
  secrets: RunSecrets;
  planShard: (shard: Shard) => TaskPlan;
}

/** Plans the tasks, fetches their secrets, and ensures that the engine has the build image. */
export async function prepareRun(request: PrepareRunRequest): Promise<PreparedRun> {
  const { host, stop } = request;
  const sourceDateEpoch = readCommitTime(request);
  // Checked before the engine is asked for anything: a misspelt task costs nothing.
  const plan = planTasks(planInput(request));
  const secrets = request.secrets ?? new RunSecrets(request);
  const needed = plan.tasks.flatMap((task) => task.secrets);
  await secrets.fetch(needed, stop.ask);
  const ready = ensureToolchainReady(request);
  ready.catch(() => {});
  request.onAsked?.();
  // Read while the engine answers.
  const trust = readHostTrust(host);
  const { images } = await ready;
  const timed = { ...planInput(request), sourceDateEpoch: await sourceDateEpoch };
  const context = await readRunContext(request, images.build.reference, trust);
  return { plan, toolchain: images.build, context, secrets, planShard: (shard) => planTasks({ ...timed, shard }) };
}

/** Returns seconds since 1970. A run needs no commit, so a failure of git is a warning. */
async function readCommitTime({ session, host, progress }: PrepareRunRequest): Promise<number | undefined> {
  try {
    return (await readCommit(session.rootDir, host.env))?.seconds;
  } catch (error) {
    if (!(error instanceof GbuildError)) throw error;
    const [remedy] = error.suggestions;
    progress.warn(`${error.message}; tasks do not get the commit's time${remedy === undefined ? '' : `: ${remedy}`}`);
    return undefined;
  }
}

export function planInput({
  session,
  host,
  names,
  args,
  publish = [],
}: Pick<PrepareRunRequest, 'session' | 'host' | 'names' | 'args' | 'publish'>) {
  const { spec, toolchain, rootDir, specFile } = session;
  const hasSpec = specFile !== undefined;
  return { spec, toolchain, defaults: defaultTasks(session), host, rootDir, hasSpec, names, args, publish };
}

/** Reads from engine, image and machine what every container of a run needs, except for the workspace. */
export async function readRunContext(
  { session, engine, host, progress }: Omit<RepoContext, 'runId' | 'stop'>,
  reference: string,
  trust: HostTrust,
): Promise<Omit<RunContext, 'workspace'>> {
  const info = await engine.info();
  const reachable = await relayProxies(trust, { network: session.spec.network, engine, host });
  warnOfLimits(session.spec, engine, info, progress);
  const needsTables = chooseIdentity(host, info).uid !== 0;
  const tables = needsTables ? await readUserTables(engine, host, reference) : { passwd: '', group: '' };
  return {
    host,
    info,
    trust: reachable,
    settings: readHostFiles(host, session.toolchain.hostFiles).map(({ to, bytes }) => ({
      path: to,
      content: bytes,
      isPrivate: true,
    })),
    image: { reference, ...tables, keystores: session.toolchain.keystores },
    labels: {
      'io.gbuild.repository': session.spec.name,
      'io.gbuild.spec': session.specFile ?? session.rootDir,
    },
  };
}
