import type { Service } from '../../service.ts';

/** Version of the kernel's control groups that the machine mounts. */
export type CgroupVersion = 1 | 2;

/** Microseconds of the period in which the kernel counts processor time: its own default. */
const period = 100_000;

/** Formats the limits: memory in bytes, processors as a share of a period, processes and threads as a number. */
export function formatLimits({ cpu, memory }: Service, pids: number, version: CgroupVersion): string[] {
  const quota = cpu === undefined ? undefined : Math.max(1000, Math.round(cpu * period));
  const limits =
    version === 2
      ? [
          ['cgroup2.memory.max', memory],
          ['cgroup2.cpu.max', quota && `${quota} ${period}`],
          ['cgroup2.pids.max', pids],
        ]
      : [
          ['cgroup.memory.limit_in_bytes', memory],
          ['cgroup.cpu.cfs_period_us', quota && period],
          ['cgroup.cpu.cfs_quota_us', quota],
          ['cgroup.pids.max', pids],
        ];
  return limits.filter(([, value]) => value !== undefined).map(([key, value]) => `lxc.${key} = ${value}`);
}

/**
 * Formats variables. LXC takes one pair of quotes from around a value and reads what is inside as it is, so blanks at
 * its end stay.
 */
export function formatEnvironment(env: Record<string, string>): string[] {
  return Object.entries(env).map(([key, value]) => `lxc.environment = "${key}=${value}"`);
}

/** Formats the command: each word in quotes, the whole in others, as LXC's template writes it. */
export function formatCommand(words: readonly string[]): string {
  return `lxc.execute.cmd = '${words.map((word) => `"${word}"`).join(' ')}'`;
}

/** Formats mounts as lines of an fstab. The place in the container is relative to its root. */
export function formatMounts(volumes: Service['volumes']): string[] {
  return volumes.map(({ from, to, readOnly }) => {
    const options = ['bind', 'create=dir', ...(readOnly ? ['ro'] : [])].join(',');
    return `lxc.mount.entry = ${escapeField(from)} ${escapeField(to.slice(1))} none ${options} 0 0`;
  });
}

/** Blanks and backslashes as fstab(5) writes them. */
function escapeField(path: string): string {
  return path.replaceAll(/[\s\\]/g, (letter) => `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
