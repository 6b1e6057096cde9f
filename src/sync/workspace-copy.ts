import { createHash } from 'node:crypto';
import type { Engine, VolumeKeeper } from '../engine/engine.ts';
import type { Host } from '../host.ts';
import { askIgnored, readIgnored } from '../workspace/ignored.ts';
import { removeDeadIncoming } from './incoming.ts';
import type { Landed } from './landing.ts';
import { MirrorMemory } from './memory.ts';
import { listUnknown, planPush } from './plan-push.ts';
import { pull } from './pull.ts';
import { type Owner, push, type Sent } from './push.ts';
import { readLocal } from './read-local.ts';
import { treeOf } from './remote-tree.ts';
import type { Mirror } from './tree.ts';

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

/** A workspace in a volume of an engine that does not see it, for one run. */
export class WorkspaceCopy {
  readonly #input: CopyInput;
  readonly #keeper: VolumeKeeper;
  readonly #memory: MirrorMemory;
  readonly #mirror: Mirror;
  readonly #sources: ReadonlySet<string>;

  private constructor(
    input: CopyInput,
    keeper: VolumeKeeper,
    memory: MirrorMemory,
    content: { mirror: Mirror; sources: ReadonlySet<string> },
  ) {
    this.#input = input;
    this.#keeper = keeper;
    this.#memory = memory;
    this.#mirror = content.mirror;
    this.#sources = content.sources;
  }

  /** Claims a volume and makes it as the workspace is: only what differs is sent. */
  static async open(input: CopyInput): Promise<WorkspaceCopy> {
    const { engine, host, rootDir, owner, include, ask: signal } = input;
    const { id } = await engine.info();
    const [{ keeper, paths }, ignored] = await settleBoth(claim(input), readIgnored(rootDir, host.env));
    try {
      removeDeadIncoming(rootDir);
      const ground = [id, keeper.volume, rootDir, `${owner.uid}:${owner.gid}`];
      const memory = new MirrorMemory(host.cacheDir, ground);
      const clock = memory.readClock();
      const known = memory.read();
      const { tree: remote } = treeOf(paths);
      const { tree: local, sources } = readLocal({ rootDir, ignored, include, mirror: known, clock });
      const sides = { local, sources, remote, mirror: known };
      const plan = planPush(sides, await askIgnored(rootDir, listUnknown(sides), host.env));
      const { onBegin } = input;
      const mirror = await push({ rootDir, keeper, sides, plan, owner, signal, onBegin });
      memory.write(mirror);
      return new WorkspaceCopy(input, keeper, memory, { mirror, sources });
    } catch (thrown) {
      await keeper.close().catch(() => {});
      throw thrown;
    }
  }

  get volume(): string {
    return this.#keeper.volume;
  }

  /** Makes the workspace as the volume is now: what git does not ignore, what came back before, and what is wanted besides. */
  async bringBack(isWanted: (path: string) => boolean, signal: AbortSignal): Promise<Landed> {
    const { rootDir, host } = this.#input;
    const [keeper, mirror, sources] = [this.#keeper, this.#mirror, this.#sources];
    try {
      return await pull({ rootDir, env: host.env, keeper, mirror, sources, isWanted, signal });
    } finally {
      this.#memory.write(mirror);
    }
  }

  /** Lets go of the volume, which stays for the next run. */
  close(): Promise<void> {
    return this.#keeper.close();
  }
}

function claim({ engine, host, rootDir, image, usernsMode, labels, ask }: CopyInput) {
  const place = createHash('sha256').update(`${rootDir}\n${host.uid}`).digest('hex').slice(0, 16);
  const volume = {
    [workspaceLabels.cache]: 'workspace',
    [workspaceLabels.host]: engine.owner.host,
    [workspaceLabels.folder]: rootDir,
  };
  const spec = {
    name: `gbuild-workspace-${engine.owner.host}-${place}`,
    image,
    labels: { container: labels, volume },
    ...(usernsMode !== undefined && { usernsMode }),
  };
  return engine.claimVolume(spec, ask);
}

/** Both at once; where the second fails the first is not left behind. */
async function settleBoth<T extends { keeper: VolumeKeeper }, U>(
  claimed: Promise<T>,
  other: Promise<U>,
): Promise<[T, U]> {
  const [first, second] = await Promise.allSettled([claimed, other]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'fulfilled') return [first.value, second.value];
  await first.value.keeper.close().catch(() => {});
  throw second.reason;
}
