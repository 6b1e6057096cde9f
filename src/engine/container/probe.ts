import { type BigIntStats, closeSync, lstatSync, openSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { join, posix } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { makeMark } from '../../fs/writer-mark.ts';
import { parseJson, readNumber, readText } from '../answer/json.ts';
import type { EngineClient } from '../client/client.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';

/** Size in bytes (not for folders) and modification time in nanoseconds of a file, compared on both sides. */
interface Trait {
  size?: bigint;
  mtime: bigint;
}

/**
 * Verifies that a bind shows the caller's own folder. Its time, and size and time of one file in it, must be the same
 * seen through the container (HEAD /containers/{id}/archive, before the start). An engine on another machine has a
 * different folder of that name, or none, or a new empty one.
 *
 * @throws EngineBlindError
 */
export async function verifyMount(
  client: EngineClient,
  id: string,
  probe: { hostDir: string; containerDir: string },
  signal: AbortSignal,
): Promise<void> {
  if (!(await looksSame(client, id, probe, signal)))
    throw new EngineBlindError(client.endpoint, probe.hostDir, 'sees another folder there');
}

async function looksSame(
  client: EngineClient,
  id: string,
  probe: { hostDir: string; containerDir: string },
  signal?: AbortSignal,
): Promise<boolean> {
  const file = findFile(probe.hostDir);
  const checks = [compare(client, id, probe.hostDir, probe.containerDir, signal)];
  if (file !== undefined)
    checks.push(compare(client, id, join(probe.hostDir, file), posix.join(probe.containerDir, file), signal));
  return !(await Promise.all(checks)).includes(false);
}

/** Prefix of a sentinel's name: no other file has it, and images and copies leave it out. */
const sentinelPrefix = '.gbuild-probe';

/**
 * Whether a bound folder is the caller's own, and not another one or a copy that looks the same. A file with a random
 * name is put there for the moment, where possible. Else times and sizes are compared.
 */
export async function showsFolder(
  client: EngineClient,
  id: string,
  probe: { hostDir: string; containerDir: string },
): Promise<boolean> {
  const folder = isFolder(join(probe.hostDir, '.git')) ? '.git' : '.';
  const name = posix.join(folder, `${sentinelPrefix}.tmp-${makeMark()}`);
  const sentinel = join(probe.hostDir, name);
  try {
    closeSync(openSync(sentinel, 'wx'));
  } catch {
    return looksSame(client, id, probe);
  }
  try {
    return (await statInContainer(client, id, posix.join(probe.containerDir, name))) !== undefined;
  } finally {
    rmSync(sentinel, { force: true });
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * Whether the bound path in a container that has not started is the caller's own. podman cannot look through a bind of
 * a file (500): it then has a file there, and not the empty folder that it creates for a missing path.
 */
export async function showsTheSame(
  client: EngineClient,
  id: string,
  { hostDir, containerDir }: { hostDir: string; containerDir: string },
): Promise<boolean> {
  const hostPath = realpathSync(hostDir);
  if (!lstatSync(hostPath).isFile()) return compare(client, id, hostPath, containerDir);
  const what = 'look at a file through the container';
  const query = { path: containerDir };
  const answer = await client.send({ what, method: 'HEAD', path: `/containers/${id}/archive`, query });
  await client.readText(answer, what);
  return answer.statusCode === 500;
}

/** Failure: the engine and gbuild do not share this folder. */
export class EngineBlindError extends GbuildError {
  readonly hostDir: string;

  /** Makes the failure; `how` completes "but that engine ...". */
  constructor({ url, source }: Endpoint, hostDir: string, how: string) {
    super(
      'engine-blind',
      `the engine at ${url} (from ${source}) cannot see ${hostDir}: that engine ${how}, so it runs on another machine or in a container of its own`,
      {
        suggestions: [
          'unset DOCKER_HOST DOCKER_CONTEXT   # to use an engine of this machine',
          `mount ${hostDir} at the same path where the engine runs`,
          'gbuild doctor',
        ],
        facts: { endpoint: url, hostDir },
      },
    );
    this.hostDir = hostDir;
  }
}

/**
 * Compares both sides. This side is read before and after: a write by another process puts the engine's view between
 * the two. A file that disappears meanwhile proves nothing.
 */
async function compare(
  client: EngineClient,
  id: string,
  hostPath: string,
  containerPath: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const before = readTrait(hostPath);
  const seen = await statInContainer(client, id, containerPath, signal);
  const after = readTrait(hostPath);
  if (before === undefined || after === undefined) return true;
  if (seen === undefined) return false;
  const stoodStill = before.mtime === after.mtime && before.size === after.size;
  if (stoodStill && before.size !== undefined && before.size !== seen.size) return false;
  const between = before.mtime <= seen.mtime && seen.mtime <= after.mtime;
  return between || isCoarse(before.mtime, seen.mtime) || isCoarse(after.mtime, seen.mtime);
}

/** Whether a shared file system (virtiofs, NFS) rounded the time to microseconds or whole seconds. */
function isCoarse(own: bigint, seen: bigint): boolean {
  return [1_000n, 1_000_000_000n].some((unit) => seen % unit === 0n && own - (own % unit) === seen);
}

function readTrait(path: string): Trait | undefined {
  const stats: BigIntStats | undefined = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  return stats.isFile() ? { size: stats.size, mtime: stats.mtimeNs } : { mtime: stats.mtimeNs };
}

/** Finds a file to compare. `.git` is skipped: another one may be bound over it. */
function findFile(hostDir: string): string | undefined {
  const files = readdirSync(hostDir, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name !== '.git',
  );
  return files.map((entry) => entry.name).sort()[0];
}

/** Reads the modification time of a path in a container, running or not, in nanoseconds. */
export async function readMtime(
  client: EngineClient,
  id: string,
  path: string,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  const trait = await statInContainer(client, id, path, signal);
  return trait?.mtime;
}

async function statInContainer(
  client: EngineClient,
  id: string,
  path: string,
  signal?: AbortSignal,
): Promise<Trait | undefined> {
  const what = 'look at the workspace through the container';
  const request = { what, method: 'HEAD', path: `/containers/${id}/archive`, query: { path } } as const;
  const answer = await client.send({ ...request, ...(signal && { signal }) });
  await client.readText(answer, what);
  if (answer.statusCode === 404) return undefined;
  const header = answer.headers['x-docker-container-path-stat'];
  if (answer.statusCode !== 200 || typeof header !== 'string') await client.refuse(answer, what);
  const stat = parseJson(Buffer.from(String(header), 'base64').toString('utf8'));
  const mtime = parseTime(readText(stat, 'mtime') ?? '');
  const size = readNumber(stat, 'size');
  return { mtime, ...(Number.isInteger(size) && { size: BigInt(size!) }) };
}

/** Parses RFC 3339 with up to nine digits and any zone to nanoseconds; -1 for anything else. */
export function parseTime(text: string): bigint {
  const match = /^(.{19})(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const seconds = match === null ? Number.NaN : Date.parse(`${match[1]}${match[3]}`);
  if (match === null || Number.isNaN(seconds)) return -1n;
  return BigInt(seconds) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}
