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

/** Facts known once the engine has been asked; the same for all tasks of a run. */
export interface RunContext {
  host: Host;
  info: EngineInfo;
  trust: HostTrust;
  /** The caller's settings of the toolchain's tools. */
  settings: FixedFile[];
  /** The image to run in, its own user tables, and its Java keystores. */
  image: { reference: string; passwd: string; group: string; keystores: readonly string[] };
  labels: Record<string, string>;
  workspace: MountedWorkspace;
}

/** A share of the engine's memory that is left to the machine when the spec sets no limit: a leak ends the build only. */
const memoryShare = 0.9;

/** A container, and the files in it that are the same in every run. */
export interface PlannedContainer {
  spec: ContainerSpec;
  fixedFiles: FixedFile[];
  identity: Identity;
  /** The engine sees this machine's folders. */
  isShared: boolean;
  /** It may start once this has come. */
  ready?: Promise<unknown>;
}

/** The container of one planned task. Pure: values of passed variables come from the host that is handed in. */
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
        // A new volume takes the image folder's mode; root needs none of that.
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

/** Where the repository is around the project, git has to look for it beyond the project's own mount. */
function gitEnvironment({ projectDir }: MountedWorkspace): Record<string, string> {
  return projectDir === undefined ? trustedWorkspace : { ...trustedWorkspace, GIT_DISCOVERY_ACROSS_FILESYSTEM: 'true' };
}

const secretsMount: ContainerMount = { type: 'tmpfs', containerDir: containerPaths.secrets, size: 16 << 20 };

/** Home and caches as folders of the caller's, for an image that was not made with folders that anyone may write to. */
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
