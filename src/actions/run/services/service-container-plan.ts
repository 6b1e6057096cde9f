import { bareContainer } from '../../../engine/engine.ts';
import type { PlannedService } from '../../../plan/service-plan.ts';
import type { TaskPlan } from '../../../plan/task-plan.ts';
import { type PlannedContainer, planContainer, type RunContext } from '../container/container-plan.ts';
import { chooseIdentity } from '../defaults/identity.ts';

/**
 * Capabilities that server images need to change to their own user and to write into their volumes; none reaches the
 * machine.
 */
export const usualCapabilities = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'NET_BIND_SERVICE',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

/** Plans the container of a service on the run's network. Pure. */
export function planService(
  { name, runs }: PlannedService,
  network: string,
  plan: TaskPlan,
  context: RunContext,
): PlannedContainer {
  const log = context.info.kind === 'podman' ? 'json-file' : 'local';
  const shared = { alias: name, network, log, labels: context.labels } as const;
  if (runs.kind === 'image') {
    const { reference, command, env } = runs;
    const bare = { ...bareContainer(reference, command), user: '', workdir: '', env, capAdd: usualCapabilities };
    const identity = chooseIdentity(context.host, context.info);
    return { spec: { ...bare, ...shared }, fixedFiles: [], identity, isShared: true };
  }
  const planned = planContainer(runs.task, plan, context);
  return { ...planned, spec: { ...planned.spec, ...shared } };
}
