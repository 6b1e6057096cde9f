import { setTimeout as sleep } from 'node:timers/promises';
import { isMark, isWriterDead } from '../../fs/writer-mark.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { formatCanonical, parseJsonObject } from '../../oci/json.ts';
import { mediaTypes } from '../../oci/spec.ts';
import type { Repository } from '../repository.ts';
import { pushBytes } from './push-image.ts';

/** Claim on a version before it is named. */
export interface VersionClaim {
  version: string;
  /** Digest of the manifest to name. */
  digest: Digest;
  /**
   * Word that no other claim uses: letters, digits and `-`. The flag of a writer's mark counts as dead as soon as that
   * process is, for claims on the same machine.
   */
  claimant: string;
  signal: AbortSignal;
  /** Called once, when another claim is in the way. */
  onWait: (text: string) => void;
}

/** Times in milliseconds. */
export interface ClaimTimes {
  /** Age after which a flag must be set again before its use. */
  hold: number;
  /** Age after which another's unchanged flag counts as dead: more than `hold` and a slow request. */
  dead: number;
  /** Returns the pause before the n-th try; two competing claims must not wait equally long. */
  pause: (tries: number) => number;
}

const defaultTimes: ClaimTimes = {
  hold: 15_000,
  dead: 45_000,
  pause: (tries) => Math.random() * Math.min(2000, 50 * 2 ** tries),
};

/**
 * Names a version so that only one of two concurrent claims succeeds. Registries have no "create if missing". Each
 * claim sets a flag, a tag next to the version, and looks for others: two claims can never both see only their own
 * flag. A claim that sees a flag for another image removes its own and tries again a little later. This needs no
 * registry with deletion. Returns the digest under the version: a different one where another claim was first.
 */
export async function nameVersion(
  repository: Repository,
  claim: VersionClaim,
  name: () => Promise<void>,
  limits: ClaimTimes = defaultTimes,
): Promise<Digest> {
  const flag = new Flag(repository, claim);
  const rivals = new Rivals(repository, claim, flag.tag);
  try {
    for (let tries = 1; ; tries += 1) {
      const raised = performance.now();
      await flag.set('up', tries);
      // The order matters: a claim lowers its flag only after it has given the name.
      const isAlone = (await rivals.findLiving(limits.dead)).length === 0;
      const standing = await repository.headManifest(claim.version);
      if (standing !== undefined) return standing.digest;
      if (isAlone && performance.now() - raised < limits.hold) break;
      if (isAlone) continue;
      await flag.set('down', tries);
      if (tries === 1) claim.onWait(`${repository.name}:${claim.version} is being released by somebody else`);
      await sleep(limits.pause(tries), undefined, { signal: claim.signal }).catch(() => {});
      claim.signal.throwIfAborted();
    }
    await name();
    return (await repository.headManifest(claim.version))?.digest ?? claim.digest;
  } finally {
    await flag.remove(limits.pause);
  }
}

const flagMark = '.claim-';
const mostRemovals = 5;
const artifactType = 'application/vnd.gbuild.claim.v1+json';
const emptyBytes = Buffer.from('{}');
const empty = { mediaType: mediaTypes.empty, digest: digestOf(emptyBytes), size: emptyBytes.length };
const note = { state: 'io.gbuild.claim', digest: 'io.gbuild.digest' };

/** Flag of a claim: a tag next to the version, with an empty manifest that tells whether the flag is up. */
class Flag {
  readonly tag: string;
  readonly #repository: Repository;
  readonly #claim: VersionClaim;
  readonly #written = new Set<Digest>();

  constructor(repository: Repository, claim: VersionClaim) {
    this.tag = `${prefixOf(claim.version)}${claim.claimant}`.slice(0, 128);
    this.#repository = repository;
    this.#claim = claim;
  }

  async set(state: 'up' | 'down', tries: number): Promise<void> {
    const { version, digest, claimant } = this.#claim;
    if (this.#written.size === 0) await pushBytes(this.#repository, emptyBytes, empty);
    const bytes = formatCanonical({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      artifactType,
      config: empty,
      layers: [empty],
      annotations: {
        [note.state]: state,
        [note.digest]: digest,
        'io.gbuild.claimant': `${claimant} ${tries}`,
        'io.gbuild.version': version,
      },
    });
    this.#written.add(await this.#repository.writeManifest(this.tag, bytes, mediaTypes.manifest));
  }

  /**
   * Removes the flag. Some registries refuse deletion; a flag that stays does no harm once the version exists. Debian's
   * registry searches all tags for those of the manifest. Where it meets a tag that is being written, it fails with the
   * manifest deleted and its tag left: that tag goes with the next manifest for it.
   */
  async remove(pause: ClaimTimes['pause']): Promise<void> {
    for (let tries = 1; tries <= mostRemovals; tries += 1) {
      if (!(await this.#lostManifest())) return;
      await sleep(pause(tries));
      await this.set('down', -tries).catch(() => undefined);
    }
  }

  /** Deletes the written manifests. Returns whether one was already gone, because only this claim deletes them. */
  async #lostManifest(): Promise<boolean> {
    const written = [...this.#written];
    this.#written.clear();
    let lost = false;
    for (const digest of written) {
      const deleted = await this.#repository.deleteManifest(digest).catch(() => undefined);
      lost ||= deleted === false;
    }
    return lost;
  }
}

/** Returns the prefix of flags; tags have at most 128 characters. */
function prefixOf(version: string): string {
  return `${version.slice(0, 80)}${flagMark}`;
}

/** Flags of other claims on the version, and how long each has been unchanged. */
class Rivals {
  readonly #repository: Repository;
  readonly #claim: VersionClaim;
  readonly #own: string;
  readonly #seen = new Map<string, { digest: Digest; since: number }>();

  constructor(repository: Repository, claim: VersionClaim, own: string) {
    this.#repository = repository;
    this.#claim = claim;
    this.#own = own;
  }

  /** Finds flags except for those of dead processes, and those that have not changed for longer than `dead`. */
  async findLiving(dead: number): Promise<string[]> {
    const prefix = prefixOf(this.#claim.version);
    const isRival = (tag: string) =>
      tag.startsWith(prefix) && tag !== this.#own && !isOfDeadWriter(tag.slice(prefix.length));
    const tags = (await this.#repository.listTags()).filter(isRival);
    const ages = await Promise.all(tags.map((tag) => this.#ageOf(tag)));
    return tags.filter((_, index) => (ages[index] ?? dead) < dead);
  }

  /** Returns the age; undefined for a flag that is down, gone or for the same image. */
  async #ageOf(tag: string): Promise<number | undefined> {
    const found = await this.#repository.readManifest(tag);
    if (found === undefined || readAnnotation(found.bytes, note.state) !== 'up') return undefined;
    if (readAnnotation(found.bytes, note.digest) === this.#claim.digest) return undefined;
    const now = performance.now();
    const { digest } = found.descriptor;
    const before = this.#seen.get(tag);
    const since = before?.digest === digest ? before.since : now;
    this.#seen.set(tag, { digest, since });
    return now - since;
  }
}

function isOfDeadWriter(claimant: string): boolean {
  return isMark(claimant) && isWriterDead(claimant);
}

function readAnnotation(bytes: Buffer, name: string): string {
  const { annotations } = (parseJsonObject(bytes) ?? {}) as { annotations?: Record<string, unknown> | null };
  const value = annotations?.[name];
  return typeof value === 'string' ? value : '';
}
