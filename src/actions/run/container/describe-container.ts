import type { ContainerMount, ContainerSpec } from '../../../engine/container/spec.ts';
import { formatBytes } from '../../../reporter/format.ts';

/** Describes a container for --verbose. Lists names of variables without their values, which may be secret. Pure. */
export function describeContainer({ image, user, workdir, network, env, mounts, limits }: ContainerSpec): string[] {
  const { memory, cpus, pids } = limits;
  const bounds = [
    ...(memory === undefined ? [] : [`${formatBytes(memory)} of memory`]),
    ...(cpus === undefined ? [] : [`${cpus} CPUs`]),
    ...(pids === undefined ? [] : [`${pids} processes`]),
  ];
  return [
    `image      ${image}`,
    `as         ${user} in ${workdir} on network ${network}`,
    ...mounts.map((mount) => `mount      ${describeMount(mount)}`),
    `variables  ${Object.keys(env).sort().join(' ')}`,
    `limits     ${bounds.join(', ') || 'none'}`,
  ];
}

function describeMount(mount: ContainerMount): string {
  if (mount.type === 'bind') return `${mount.hostDir} -> ${mount.containerDir}${mount.readOnly ? ' (read-only)' : ''}`;
  if (mount.type === 'volume') return `volume ${mount.name} -> ${mount.containerDir}`;
  return `memory -> ${mount.containerDir}`;
}
