import type { VolumeLease } from '../../engine/engine.ts';
import { askIgnored } from '../../workspace/git/ignored.ts';
import { addBaseOutputs } from '../read/read-local.ts';
import type { SyncSnapshot } from '../state/sync-snapshot.ts';
import type { SyncMemory } from '../state/sync-state.ts';
import { settleSent } from '../tree/changed-tree.ts';
import { listUnknown, planPush } from './plan-push.ts';
import {
  clearCleanMarker,
  manyFiles,
  type Pushed,
  type PushInput,
  type PushTodo,
  preparePush,
  push,
  type Sent,
} from './push.ts';
import { readWholeVolume } from './read-remote.ts';
import type { FileOwner } from './send-items.ts';

export interface SendInput {
  rootDir: string;
  env: NodeJS.ProcessEnv;
  owner: FileOwner;
  lease: VolumeLease;
  memory: SyncMemory;
  /**
   * Snapshot with all paths for which this side is authoritative, read at `clock` (milliseconds of the file system).
   */
  remembered: SyncSnapshot;
  clock: number;
  /** Whether everything in the folder is sent, even what git ignores. */
  isOwn: boolean;
  ask: AbortSignal;
  onBegin: (sent: Sent) => void;
}

/** Bytes that can be sent while the first task's container is made. */
const fewBytes = 1 << 20;

/** Size of a transfer that is recorded before anything else happens, in case the run dies. */
const dear = { bytes: 100 << 20, files: 25_000 };

/** Volume in the state of the workspace. */
export interface Sending extends Pushed {
  sources: { has(path: string): boolean };
}

/** Reads both sides and starts to send the differences. A volume with the clean marker is in its recorded state. */
export async function send(input: SendInput): Promise<{ sending: Promise<Sending>; isLong: boolean }> {
  const { rootDir, env, owner, lease, memory, remembered, clock, isOwn, ask: signal, onBegin } = input;
  const { local, remote, base } = remembered;
  const marker = memory.takeCleanMarker();
  const isClean = marker !== undefined && (await lease.readCleanMarker(signal)) === marker;
  const cleared = isClean ? clearCleanMarker({ rootDir, lease, owner, signal }) : undefined;
  cleared?.catch(() => {});
  if (!isClean) await readWholeVolume(lease, remote, signal);
  const outputs = addBaseOutputs({ rootDir, clock, remembered });
  const sources = { has: (path: string) => local.has(path) && !outputs.has(path) };
  const sides = { local, sources, remote, base, loose: remembered.loose() };
  const ignored = isOwn ? new Set<string>() : await askIgnored(rootDir, listUnknown(sides), env);
  const plan = planPush(sides, ignored);
  const pushInput = { rootDir, lease, sides, plan, owner, signal, onBegin };
  const todo = preparePush(pushInput);
  const isLong = todo.bytes > fewBytes || todo.remove.length + todo.send.length > manyFiles;
  return { sending: sendAll(pushInput, todo, memory, cleared), isLong };
}

async function sendAll(
  input: PushInput,
  todo: PushTodo,
  memory: SyncMemory,
  cleared: Promise<void> | undefined,
): Promise<Sending> {
  const { sources } = input.sides;
  await cleared;
  const isNothing = todo.send.length + todo.remove.length === 0;
  const pushed = await push(input, todo, isNothing && cleared !== undefined);
  if (todo.bytes < dear.bytes && todo.send.length < dear.files) return { ...pushed, sources };
  const { base, remote, sent } = pushed;
  await readWholeVolume(input.lease, remote, input.signal);
  settleSent(base, remote, sent, Number.POSITIVE_INFINITY);
  memory.write(base, remote);
  return { ...pushed, sources };
}
