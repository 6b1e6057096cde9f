import type { ContainerFile, ContainerMount, ContainerSpec } from '../../../engine/container/spec.ts';
import type { EngineInfo } from '../../../engine/info.ts';
import type { Host } from '../../../host.ts';
import { containerPaths } from '../../../plan/container-paths.ts';
import type { PlannedTask } from '../../../plan/planned-task.ts';
import type { TaskPlan } from '../../../plan/task-plan.ts';
import type { Secret } from '../../../secrets/secret.ts';
import type { HostTrust } from '../../../toolchain/host/trust.ts';
import type { FixedFile } from '../defaults/container-files.ts';
import {
  capabilitiesOf,
  chooseIdentity,
  type Identity,
  planUserTables,
  trustedWorkspace,
} from '../defaults/identity.ts';
import { planTrust } from '../defaults/trust-plan.ts';
import type { MountedWorkspace } from '../workspace/with-copy.ts';

/** Facts from the engine and the machine, the same for all tasks of a run. */
export interface RunContext {
  host: Host;
  info: EngineInfo;
  trust: HostTrust;
  /** Settings of the caller for the toolchain's tools. */
  settings: FixedFile[];
  /** Image to run in, its user tables, and its Java keystores. */
  image: { reference: string; passwd: string; group: string; keystores: readonly string[] };
  labels: Record<string, string>;
  workspace: MountedWorkspace;
}

/**
 * Share of the engine's memory that a container may use when the spec sets no limit: a leak then ends the build only.
 */
const memoryShare = 0.9;

/** Container, and its files that are the same in every run. */
export interface PlannedContainer {
  spec: ContainerSpec;
  fixedFiles: FixedFile[];
  identity: Identity;
  /** Whether the engine sees this machine's folders. */
  isShared: boolean;
  /** Settles when the container's mounts are complete; it may start then. */
  ready?: Promise<unknown>;
}

/** Plans the container of a task. Pure: values of passed variables come from the given host. */
export function planContainer(
  task: PlannedTask,
  plan: TaskPlan,
  context: RunContext,
  secrets: Secret[] = [],
): PlannedContainer {
  const { host, info, image, workspace } = context;
  const identity = chooseIdentity(host, info);
  const trust = planTrust(context.trust, image.keystores);
  const memory = plan.resources.memory ?? Math.floor(info.memory * memoryShare);
  const spec: ContainerSpec = {
    image: image.reference,
    command: task.command,
    entrypoint: [''],
    user: `${identity.uid}:${identity.gid}`,
    env: { ...gitEnvironment(workspace), ...trust.env, ...task.env, ...valuesOf(task.passEnv, host) },
    workdir: (workspace.projectDir ?? containerPaths.workspace) + task.workdir.slice(containerPaths.workspace.length),
    mounts: [
      workspace.mount,
      ...(workspace.gitMounts ?? []),
      ...(workspace.projectDir === undefined ? [] : [{ ...workspace.mount, containerDir: workspace.projectDir }]),
      ...plan.caches.map((cache) => ({
        type: 'volume' as const,
        name: cache.volume,
        containerDir: cache.containerDir,
        labels: { 'io.gbuild.cache': cache.name },
        // A new volume takes the image folder's mode; root does not need it.
        copy: plan.preparedFolders && identity.uid !== 0,
      })),
      ...(secrets.length === 0 ? [] : [secretsMount]),
    ],
    files: [...(plan.preparedFolders ? [] : planFolders(plan, identity)), ...planShardFiles(task, identity)],
    ...(secrets.length > 0 && {
      secrets: secrets.map(({ name, value }) => ({ path: `${containerPaths.secrets}/${name}`, value })),
    }),
    tty: false,
    stdin: false,
    network: plan.network,
    limits: {
      ...(memory > 0 && { memory }),
      ...(plan.resources.cpus !== undefined && { cpus: Math.min(plan.resources.cpus, info.cpus) }),
      pids: plan.resources.pids,
    },
    capAdd: capabilitiesOf(identity),
    labels: context.labels,
    ...(identity.usernsMode !== undefined && { usernsMode: identity.usernsMode }),
    ...(workspace.probe !== undefined && { probe: workspace.probe }),
  };
  const fixedFiles = [...planUserTables(identity, image), ...trust.files, ...context.settings];
  const { isShared, ready } = workspace;
  return { spec, fixedFiles, identity, isShared, ...(ready !== undefined && { ready }) };
}

/**
 * Returns git's variables. For a project below its repository's top, git must search beyond the project's own mount.
 */
function gitEnvironment({ projectDir }: MountedWorkspace): Record<string, string> {
  return projectDir === undefined ? trustedWorkspace : { ...trustedWorkspace, GIT_DISCOVERY_ACROSS_FILESYSTEM: 'true' };
}

const secretsMount: ContainerMount = { type: 'tmpfs', containerDir: containerPaths.secrets, size: 16 << 20 };

/** Plans home and caches as folders of the caller, for an image without world-writable folders. */
function planFolders({ caches }: TaskPlan, { uid, gid }: Identity): ContainerFile[] {
  const folders = [containerPaths.home, ...caches.map(({ containerDir }) => containerDir)];
  return folders.map((path) => ({ path, type: 'directory', mode: 0o755, uid, gid }));
}

function planShardFiles({ files }: PlannedTask, { uid, gid }: Identity): ContainerFile[] {
  if (files === undefined) return [];
  const content = Buffer.from(files.map((file) => `${file}\n`).join(''));
  return [{ path: containerPaths.shardFiles, type: 'file', mode: 0o444, uid, gid, content }];
}

function valuesOf(names: string[], host: Host): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, host.env[name] ?? '']));
}
