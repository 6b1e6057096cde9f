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

/** Labels of a workspace's volume: what `gbuild cache` knows it by, whose it is, and where. */
export const workspaceLabels = { cache: 'io.gbuild.cache', host: 'io.gbuild.host', folder: 'io.gbuild.workspace' };

export interface CopyInput extends SideInput {
  engine: Engine;
  /** The workspace's folder, by which the volume is named and labelled. */
  workspaceDir: string;
  /** Ends the name of the volume where it holds what belongs to the workspace and is not that. */
  part?: string;
  /** To look into the volume with. */
  image: string;
  owner: FileOwner;
  usernsMode: string | undefined;
  /** Labels of the container that keeps the volume. */
  labels: Record<string, string>;
  ask: AbortSignal;
  /** Where this volume is noted as the last one used, and what was read early because of such a note. */
  early?: { place: string; read?: EarlyRead };
  /** Told once, before anything is sent. */
  onBegin?: (sent: Sent) => void;
}

interface Opened {
  lease: VolumeLease;
  memory: SyncMemory;
  remembered: SyncSnapshot;
  sending: Promise<Sending>;
}

/** A workspace in a volume of an engine that does not see it, for one run. */
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
      // Told by whoever waits for it.
    });
  }

  /** Claims a volume and makes it as the workspace is: only what differs is sent, and a little of that may be still under way. */
  static async open(input: CopyInput): Promise<WorkspaceCopy> {
    const { host, rootDir, engine, ask } = input;
    removeDeadStagingDirs(rootDir);
    const spec = specOf(input);
    const memory = await memoryOf(input, spec.name);
    const reading = input.early?.read?.take(input, memory) ?? readSide(input, memory);
    const [lease, expected] = await settleBoth(engine.volumes.claim(spec, ask), reading);
    try {
      // Another one where a run works on the first; and one that did so while this side was read has written since.
      const isRight = lease.volume === spec.name && expected.memory.isCurrent;
      const side = isRight ? expected : await readSide(input, await memoryOf(input, lease.volume));
      if (input.early !== undefined) side.memory.noteLast(input.early.place);
      const all = { onBegin: () => {}, ...input, env: host.env, lease, isOwn: input.own !== undefined, ...side };
      const { sending, isLong } = await send(all);
      if (isLong) await sending;
      // While the first task's container starts: the lease is to look at what that task changes.
      sending.then(
        () => lease.start(),
        () => {
          // Told by whoever waits for it.
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

  /** Settles when the volume is as the workspace was. */
  get ready(): Promise<unknown> {
    return this.#sending;
  }

  /**
   * The copy of a run that lost its engine, when that has come back. Edits of the caller's since it was sent win over what
   * comes, whatever git says of them.
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

  /** Makes the workspace as the volume is now: what git does not ignore, what came back before, and what is wanted besides. */
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

  /** Puts the reports that tasks made into a folder, and nothing else; the workspace stays as it is. */
  async fetchReports(intoDir: string, isReport: (path: string) => boolean, signal: AbortSignal): Promise<ApplyReport> {
    const sending = await this.#sending;
    const { base, remote } = sending;
    // What is known of the volume is of before the tasks, until it is looked at again.
    const before = pick(remote, isReport);
    await this.#ensureLease();
    await readAfter(this.#lease, sending, signal);
    this.#memory.write(base, remote);
    const isNew = ([path, { fingerprint }]: [string, Node]) =>
      before.get(path)?.fingerprint !== fingerprint && base.get(path)?.remote !== fingerprint;
    return fetchInto(intoDir, this.#lease, new Map([...pick(remote, isReport)].filter(isNew)), signal);
  }

  /** Keeps how the volume looks after a run of which nothing comes back. */
  async settle(signal: AbortSignal): Promise<void> {
    const sending = await this.#sending;
    await this.#ensureLease();
    await readAfter(this.#lease, sending, signal);
    await this.#keep(sending.base, sending.remote, signal);
  }

  /** Keeps what `reopen` needs. */
  async remember(): Promise<void> {
    const { base, remote } = await this.#sending;
    this.#memory.write(base, remote);
  }

  /** Lets go of the volume, which stays for the next run. */
  close(): Promise<void> {
    return this.#lease.close();
  }

  /** Reacquires the lease: a connection that broke and came back while a task ran has ended it. */
  async #ensureLease(): Promise<void> {
    if (this.#lease.isOpen) return;
    this.#lease = await this.#input.engine.volumes.reacquire({ ...specOf(this.#input), name: this.volume });
  }

  /** Writes the memory while the engine sets the clean marker: from now on nothing changes there that is not remembered. */
  async #keep(base: SyncBase, remote: Tree, signal: AbortSignal): Promise<void> {
    const marker = makeCleanMarker();
    // A volume without a clean marker costs a listing, nothing else.
    const isClean = this.#lease.writeCleanMarker(marker, signal).then(
      () => true,
      () => false,
    );
    this.#memory.write(base, remote);
    if (await isClean) this.#memory.keepCleanMarker(marker);
  }
}

/** A time in nanoseconds, between 2001 and 2017, that nobody else will think of. */
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

/** Both at once; where the second fails the first is not left behind. */
async function settleBoth<T>(claimed: Promise<VolumeLease>, other: Promise<T>): Promise<[VolumeLease, T]> {
  const [first, second] = await Promise.allSettled([claimed, other]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'fulfilled') return [first.value, second.value];
  await first.value.close().catch(() => {});
  throw second.reason;
}
