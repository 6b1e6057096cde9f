import { createHash } from 'node:crypto';
import type { ClaimedVolume, Engine, VolumeHolder } from '../engine/engine.ts';
import type { Host } from '../host.ts';
import { askIgnored, readIgnored } from '../workspace/ignored.ts';
import { removeDeadIncoming } from './incoming.ts';
import type { Landed } from './landing.ts';
import { MirrorMemory, readClock } from './memory.ts';
import { listUnknown, planPush } from './plan-push.ts';
import { fetchInto, pull } from './pull.ts';
import { type Owner, push, type Sent } from './push.ts';
import { addMirrored, readSources } from './read-local.ts';
import { treeOf } from './remote-tree.ts';
import type { Mirror, Tree } from './tree.ts';

/** Labels of a workspace's volume: what `gbuild cache` knows it by, whose it is, and where. */
export const workspaceLabels = { cache: 'io.gbuild.cache', host: 'io.gbuild.host', folder: 'io.gbuild.workspace' };

export interface CopyInput {
  engine: Engine;
  host: Host;
  rootDir: string;
  /** To look into the volume with. */
  image: string;
  owner: Owner;
  usernsMode: string | undefined;
  /** Of the container that keeps the volume. */
  labels: Record<string, string>;
  /** Globs of ignored paths that go along. */
  include: readonly string[];
  ask: AbortSignal;
  onBegin: (sent: Sent) => void;
}

/** Files whose sending is worth to be remembered before anything else happens. */
const manyFiles = 1000;

/** What is known of both sides once the volume is as the workspace was. */
interface Pushed {
  mirror: Mirror;
  sources: { has(path: string): boolean };
  /** It is not remembered yet. */
  isNew: boolean;
}

/** A workspace in a volume of an engine that does not see it, for one run. */
export class WorkspaceCopy {
  readonly #input: CopyInput;
  #holder: VolumeHolder;
  readonly #memory: MirrorMemory;
  readonly #pushed: Pushed;

  private constructor(input: CopyInput, holder: VolumeHolder, memory: MirrorMemory, pushed: Pushed) {
    this.#input = input;
    this.#holder = holder;
    this.#memory = memory;
    this.#pushed = pushed;
  }

  /** Claims a volume and makes it as the workspace is: only what differs is sent. */
  static async open(input: CopyInput): Promise<WorkspaceCopy> {
    const { host, rootDir } = input;
    removeDeadIncoming(rootDir);
    const clock = readClock(host.cacheDir);
    const [{ holder, paths }, sources] = await settleBoth(
      input.engine.claimVolume(specOf(input), input.ask),
      read(input, clock),
    );
    try {
      const memory = await openMemory(input, holder.volume);
      const pushed = await pushAll(input, { holder, paths }, sources, memory, clock);
      return new WorkspaceCopy(input, holder, memory, pushed);
    } catch (thrown) {
      await holder.close().catch(() => {});
      throw thrown;
    }
  }

  get volume(): string {
    return this.#holder.volume;
  }

  /**
   * The copy of a run that lost its engine, when that has come back. Edits of the caller's since it was sent win over what
   * comes, whatever git says of them.
   */
  static async reopen(input: CopyInput, volume: string): Promise<WorkspaceCopy> {
    const { engine } = input;
    const memory = await openMemory(input, volume);
    const holder = await engine.holdAgain({ ...specOf(input), name: volume }, input.ask);
    const mirror = memory.read();
    return new WorkspaceCopy(input, holder, memory, { mirror, sources: new Map(mirror), isNew: false });
  }

  /** Makes the workspace as the volume is now: what git does not ignore, what came back before, and what is wanted besides. */
  async bringBack(isWanted: (path: string) => boolean, signal: AbortSignal): Promise<Landed> {
    const { rootDir, host } = this.#input;
    const { mirror, sources, isNew } = this.#pushed;
    const before = new Map(mirror);
    await this.#ensureHolder(signal);
    try {
      return await pull({ rootDir, env: host.env, holder: this.#holder, mirror, sources, isWanted, signal });
    } finally {
      if (isNew || !isAlike(before, mirror)) this.#memory.write(mirror);
    }
  }

  /** What is in the volume where `isReport` says so: by path, another text whenever it may be another file. */
  async listPrints(isReport: (path: string) => boolean, signal: AbortSignal): Promise<Map<string, string>> {
    const paths = (await this.#holder.list(signal)).filter(({ path }) => isReport(path));
    return new Map(paths.map(({ path, print }) => [path, print]));
  }

  /** Puts the reports that are new since `before` into a folder, and nothing else; the workspace stays as it is. */
  async fetchReports(
    intoDir: string,
    isReport: (path: string) => boolean,
    before: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<Landed> {
    await this.#ensureHolder(signal);
    const listed = (await this.#holder.list(signal)).filter(({ path }) => isReport(path));
    return fetchInto(
      intoDir,
      this.#holder,
      listed.filter(({ path, print }) => before.get(path) !== print),
      signal,
    );
  }

  /** Keeps what `reopen` needs. */
  remember(): void {
    if (this.#pushed.isNew) this.#memory.write(this.#pushed.mirror);
  }

  /** Lets go of the volume, which stays for the next run. */
  close(): Promise<void> {
    return this.#holder.close();
  }

  /** A connection that broke and came back while a task ran has ended the holder. */
  async #ensureHolder(signal: AbortSignal): Promise<void> {
    if (this.#holder.isOpen) return;
    this.#holder = await this.#input.engine.holdAgain({ ...specOf(this.#input), name: this.volume }, signal);
  }
}

/** Entries are replaced, never changed. */
function isAlike(before: Mirror, after: Mirror): boolean {
  if (before.size !== after.size) return false;
  for (const [path, known] of after) if (before.get(path) !== known) return false;
  return true;
}

async function read({ rootDir, host, include }: CopyInput, clock: number): Promise<Tree> {
  const ignored = await readIgnored(rootDir, host.env);
  return readSources({ rootDir, ignored, include, clock });
}

async function pushAll(
  { rootDir, host, owner, ask: signal, onBegin }: CopyInput,
  { holder, paths }: ClaimedVolume,
  sources: Tree,
  memory: MirrorMemory,
  clock: number,
): Promise<Pushed> {
  const known = memory.read();
  const { tree: remote } = treeOf(paths);
  const local = addMirrored(sources, rootDir, known, clock);
  const sides = { local, sources, remote, mirror: known };
  const plan = planPush(sides, await askIgnored(rootDir, listUnknown(sides), host.env));
  const mirror = await push({ rootDir, holder, sides, plan, owner, signal, onBegin });
  const isNew = plan.send.length + plan.compare.length + plan.remove.length > 0;
  const isMuch = plan.send.length > manyFiles;
  if (isMuch) memory.write(mirror);
  return { mirror, sources, isNew: isNew && !isMuch };
}

async function openMemory({ engine, host, rootDir, owner }: CopyInput, volume: string): Promise<MirrorMemory> {
  const { id } = await engine.info();
  return new MirrorMemory(host.cacheDir, [id, volume, rootDir, `${owner.uid}:${owner.gid}`]);
}

function specOf({ engine, host, rootDir, image, usernsMode, labels }: CopyInput) {
  const place = createHash('sha256').update(`${rootDir}\n${host.uid}`).digest('hex').slice(0, 16);
  const volume = {
    [workspaceLabels.cache]: 'workspace',
    [workspaceLabels.host]: engine.owner.host,
    [workspaceLabels.folder]: rootDir,
  };
  return {
    name: `gbuild-workspace-${engine.owner.host}-${place}`,
    image,
    labels: { container: labels, volume },
    ...(usernsMode !== undefined && { usernsMode }),
  };
}

/** Both at once; where the second fails the first is not left behind. */
async function settleBoth<T extends { holder: VolumeHolder }, U>(
  claimed: Promise<T>,
  other: Promise<U>,
): Promise<[T, U]> {
  const [first, second] = await Promise.allSettled([claimed, other]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'fulfilled') return [first.value, second.value];
  await first.value.holder.close().catch(() => {});
  throw second.reason;
}
