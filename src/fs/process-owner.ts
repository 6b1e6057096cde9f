import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Process that made something on an engine. `host` is the machine and its process namespace, `boot` one start of its
 * kernel, `start` the process's start time in clock ticks. Together they distinguish a living owner from a reused pid.
 */
export interface Owner {
  host: string;
  boot: string;
  pid: number;
  start: string;
}

/** Reads the owner of this process. Outside of Linux only machine and pid are known. */
export function readOwner(): Owner {
  const machine = readFirst('/etc/machine-id', '/var/lib/dbus/machine-id');
  const host = `${hostname()
    .replace(/[^A-Za-z0-9-]/g, '-')
    .slice(0, 30)}-${shorten(`${hostname()}\n${machine}\n${readNamespace()}`)}`;
  const boot = shorten(readFirst('/proc/sys/kernel/random/boot_id'));
  return { host, boot, pid: process.pid, start: readProcess(process.pid)?.start ?? '0' };
}

/** Formats one word that fits a label and an image tag: letters, digits, `-` and `_`. */
export function ownerText(owner: Owner): string {
  return [owner.host, owner.boot, owner.pid, owner.start].join('_');
}

/** Parses `ownerText`; `undefined` for any other text. */
export function parseOwner(text: string): Owner | undefined {
  const match = /^([A-Za-z0-9-]+)_([0-9a-f]+)_(\d+)_(\d+)$/.exec(text);
  if (match === null) return undefined;
  return { host: match[1]!, boot: match[2]!, pid: Number(match[3]), start: match[4]! };
}

/**
 * Whether the owner is surely dead. It must be of this machine and process namespace. It must also be of an earlier
 * boot, or its process must be gone, or its pid must belong to a later process. Owners of other machines are never
 * judged.
 */
export function ownerIsDead(owner: Owner, self: Owner): boolean {
  if (owner.host !== self.host) return false;
  if (owner.boot !== self.boot) return true;
  if (owner.pid === self.pid) return owner.start !== self.start;
  if (!processExists(owner.pid)) return true;
  const found = readProcess(owner.pid);
  if (found === undefined) return false;
  return found.zombie || (owner.start !== '0' && found.start !== owner.start);
}

/** Whether the process exists: EPERM means that it lives and belongs to another user. */
function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Reads proc(5): state is field 3 and starttime field 22; the name before them may hold spaces and brackets. */
function readProcess(pid: number): { start: string; zombie: boolean } | undefined {
  const stat = readFirst(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const start = fields[19];
  return start === undefined ? undefined : { start, zombie: fields[0] === 'Z' };
}

function readNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function readFirst(...files: string[]): string {
  for (const file of files) {
    try {
      return readFileSync(file, 'utf8').trim();
    } catch {
      // The next file is tried; none means an unsupported platform.
    }
  }
  return '';
}

function shorten(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
