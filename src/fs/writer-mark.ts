import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Mark of a file's writer: `PID-START-PLACE-NONCE`. PLACE is the host and its process namespace; the nonce makes each mark unique. */
export type WriterMark = `${number}-${string}-${string}-${string}`;

export function makeMark(): WriterMark {
  return `${process.pid}-${readStart(process.pid) ?? 'x'}-${place()}-${randomBytes(8).toString('hex')}`;
}

export function isMark(text: string): text is WriterMark {
  return /^\d+-\w+-\w+-\w+$/.test(text);
}

/** Returns the writer's mark in the name of a temporary, an unfinished file. */
export function readTemporaryMark(name: string): string | undefined {
  return /\.tmp-(\d+-\w+-\w+-\w+)$/.exec(name)?.[1];
}

/** Whether the writer is surely gone: of this place, with a pid that is free, a zombie's or another process's. */
export function isWriterDead(mark: string): boolean {
  const [pid, start, where] = mark.split('-');
  if (where !== place() || !/^[1-9]\d*$/.test(pid ?? '')) return false;
  if (start === 'x') return !isAlive(Number(pid));
  return readStart(Number(pid)) !== start;
}

let knownPlace: string | undefined;

function place(): string {
  knownPlace ??= createHash('sha256').update(`${hostname()} ${readNamespace()}`).digest('hex').slice(0, 12);
  return knownPlace;
}

function readNamespace(): string {
  try {
    return `${readlinkSync('/proc/self/ns/pid')} ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')}`;
  } catch {
    return '';
  }
}

/** Reads field 22 of /proc/PID/stat (proc(5)): ticks between boot and the start of the process. */
function readStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : rest[18];
  } catch {
    return undefined;
  }
}

/** Whether the process lives, on systems without /proc. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}
