import { createHash, randomBytes } from 'node:crypto';
import type { Engine, VolumeLease } from '../engine/engine.ts';
import type { ApplyReport } from './pull/apply-changes.ts';
import { fetchInto, pull } from './pull/pull.ts';
import { removeDeadStagingDirs } from './pull/staging-dir.ts';
import type { Sent } from './push/push.ts';
import { readAfter } from './push/read-remote.ts';
import type { FileOwner } from './push/send-items.ts';
import { type Sending, send } from './push/send-workspace.ts';
import { type EarlyRead, readSide, type SideInput } from './read/read-side.ts';
import type { SyncSnapshot } from './state/sync-snapshot.ts';
import { SyncMemory } from './state/sync-state.ts';
import type { Node, SyncBase, Tree } from './tree/tree.ts';

/** Labels of a workspace's volume: its name for `gbuild cache`, its owner's machine, and its folder. */
export const workspaceLabels = { cache: 'io.gbuild.cache', host: 'io.gbuild.host', folder: 'io.gbuild.workspace' };

export interface CopyInput extends SideInput {
  engine: Engine;
  /** Folder of the workspace, for the volume's name and labels. */
  workspaceDir: string;
  /**
   * Suffix of the volume's name where it holds something that belongs to the workspace and is not the workspace itself.
   */
  part?: string;
  /** Image to read the volume with. */
  image: string;
  owner: FileOwner;
  usernsMode: string | undefined;
  /** Labels of the container that holds the lease. */
  labels: Record<string, string>;
  ask: AbortSignal;
  /** Key under which this volume is noted as the last one, and the early read that such a note allowed. */
  early?: { place: string; read?: EarlyRead };
  /** Called once, before anything is sent. */
  onBegin?: (sent: Sent) => void;
}

interface Opened {
  lease: VolumeLease;
  memory: SyncMemory;
  remembered: SyncSnapshot;
  sending: Promise<Sending>;
}

/** Copy of a workspace in a volume, for one run, on an engine that cannot see the workspace. */
export class WorkspaceCopy {
  readonly #input: CopyInput;
  #lease: VolumeLease;
  readonly #memory: SyncMemory;
  readonly #remembered: SyncSnapshot;
  readonly #sending: Promise<Sending>;

  private constructor(input: CopyInput, { lease, memory, remembered, sending }: Opened) {
    this.#input = input;
    this.#lease = lease;
    this.#memory = memory;
    this.#remembered = remembered;
    this.#sending = sending;
    sending.catch(() => {
      // The failure is thrown where the result is awaited.
    });
  }

  /**
   * Claims a volume and updates it to the workspace's state: only differences are sent, and a few of them may still be
   * on their way.
   */
  static async open(input: CopyInput): Promise<WorkspaceCopy> {
    const { host, rootDir, engine, ask } = input;
    removeDeadStagingDirs(rootDir);
    const spec = specOf(input);
    const memory = await memoryOf(input, spec.name);
    const reading = input.early?.read?.take(input, memory) ?? readSide(input, memory);
    const [lease, expected] = await settleBoth(engine.volumes.claim(spec, ask), reading);
    try {
      // The side is read again for another volume, claimed where a run works on the first. It is read again also where
      // such a run has written the record meanwhile.
      const isRight = lease.volume === spec.name && expected.memory.isCurrent;
      const side = isRight ? expected : await readSide(input, await memoryOf(input, lease.volume));
      if (input.early !== undefined) side.memory.noteLast(input.early.place);
      const all = { onBegin: () => {}, ...input, env: host.env, lease, isOwn: input.own !== undefined, ...side };
      const { sending, isLong } = await send(all);
      if (isLong) await sending;
      // Started while the first task's container starts: the lease later lists that task's changes.
      sending.then(
        () => lease.start(),
        () => {
          // The failure is thrown where the result is awaited.
        },
      );
      return new WorkspaceCopy(input, { lease, ...side, sending });
    } catch (thrown) {
      await lease.close().catch(() => {});
      throw thrown;
    }
  }

  get volume(): string {
    return this.#lease.volume;
  }

  /** Settles when the volume has the workspace's state. */
  get ready(): Promise<unknown> {
    return this.#sending;
  }

  /**
   * Reopens the copy of a run after its engine was lost. The caller's edits since the transfer win over incoming
   * changes, whatever git ignores.
   */
  static async reopen(input: CopyInput, volume: string): Promise<WorkspaceCopy> {
    const { engine } = input;
    const memory = await memoryOf(input, volume);
    const lease = await engine.volumes.reacquire({ ...specOf(input), name: volume });
    const remembered = memory.read();
    memory.takeCleanMarker();
    const { base, remote } = remembered;
    const sources = new Set(base.keys());
    const sending = Promise.resolve({ base, remote, sent: [], sources });
    return new WorkspaceCopy(input, { lease, memory, remembered, sending });
  }

  /**
   * Updates the workspace to the volume's state: paths that git does not ignore, those that came back before, and the
   * wanted ones.
   */
  async bringBack(isWanted: (path: string) => boolean, signal: AbortSignal): Promise<ApplyReport> {
    const { rootDir, host } = this.#input;
    const sending = await this.#sending;
    const { base, remote, sources } = sending;
    await this.#ensureLease();
    const lease = this.#lease;
    const refused = await readAfter(lease, sending, signal);
    const sides = { remote, base, sources, loose: this.#remembered.looseThere() };
    try {
      const report = await pull({ rootDir, env: host.env, lease, refused, ...sides, isWanted, signal });
      await this.#keep(base, remote, signal);
      return report;
    } catch (thrown) {
      this.#memory.write(base, remote);
      throw thrown;
    }
  }

  /** Fetches the tasks' reports into a folder, and nothing else; the workspace stays unchanged. */
  async fetchReports(intoDir: string, isReport: (path: string) => boolean, signal: AbortSignal): Promise<ApplyReport> {
    const sending = await this.#sending;
    const { base, remote } = sending;
    // The known state of the volume is from before the tasks, until it is read again.
    const before = pick(remote, isReport);
    await this.#ensureLease();
    await readAfter(this.#lease, sending, signal);
    this.#memory.write(base, remote);
    const isNew = ([path, { fingerprint }]: [string, Node]) =>
      before.get(path)?.fingerprint !== fingerprint && base.get(path)?.remote !== fingerprint;
    return fetchInto(intoDir, this.#lease, new Map([...pick(remote, isReport)].filter(isNew)), signal);
  }

  /** Records the volume's state after a run without changes that come back. */
  async settle(signal: AbortSignal): Promise<void> {
    const sending = await this.#sending;
    await this.#ensureLease();
    await readAfter(this.#lease, sending, signal);
    await this.#keep(sending.base, sending.remote, signal);
  }

  /** Records what `reopen` needs. */
  async remember(): Promise<void> {
    const { base, remote } = await this.#sending;
    this.#memory.write(base, remote);
  }

  /** Releases the volume, which stays for the next run. */
  close(): Promise<void> {
    return this.#lease.close();
  }

  /** Reacquires the lease: a connection that broke while a task ran has ended it. */
  async #ensureLease(): Promise<void> {
    if (this.#lease.isOpen) return;
    this.#lease = await this.#input.engine.volumes.reacquire({ ...specOf(this.#input), name: this.volume });
  }

  /** Writes the record while the engine sets the clean marker: the record is complete from now on. */
  async #keep(base: SyncBase, remote: Tree, signal: AbortSignal): Promise<void> {
    const marker = makeCleanMarker();
    // A volume without a clean marker only costs a listing.
    const isClean = this.#lease.writeCleanMarker(marker, signal).then(
      () => true,
      () => false,
    );
    this.#memory.write(base, remote);
    if (await isClean) this.#memory.keepCleanMarker(marker);
  }
}

/** Makes a random time in nanoseconds, between 2001 and 2017, that occurs nowhere else. */
function makeCleanMarker(): string {
  return String(10n ** 18n + (randomBytes(8).readBigUInt64LE() % (5n * 10n ** 17n)));
}

function pick(tree: Tree, isWanted: (path: string) => boolean): Map<string, Node> {
  const paths = [...tree.keys()].filter(isWanted);
  return new Map(paths.map((path) => [path, tree.get(path)!]));
}

async function memoryOf({ engine, host, workspaceDir, owner }: CopyInput, volume: string): Promise<SyncMemory> {
  const { id } = await engine.info();
  return SyncMemory.of(host.cacheDir, [id, volume, workspaceDir, `${owner.uid}:${owner.gid}`]);
}

function specOf({ engine, host, workspaceDir, part, image, usernsMode, labels }: CopyInput) {
  const place = createHash('sha256').update(`${workspaceDir}\n${host.uid}`).digest('hex').slice(0, 16);
  const volume = {
    [workspaceLabels.cache]: 'workspace',
    [workspaceLabels.host]: engine.owner.host,
    [workspaceLabels.folder]: workspaceDir,
  };
  return {
    name: ['gbuild-workspace', engine.owner.host, place, ...(part === undefined ? [] : [part])].join('-'),
    image,
    labels: { container: labels, volume },
    ...(usernsMode !== undefined && { usernsMode }),
  };
}

/** Awaits both at the same time; where the second fails, the first is released. */
async function settleBoth<T>(claimed: Promise<VolumeLease>, other: Promise<T>): Promise<[VolumeLease, T]> {
  const [first, second] = await Promise.allSettled([claimed, other]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'fulfilled') return [first.value, second.value];
  await first.value.close().catch(() => {});
  throw second.reason;
}
