import { setTimeout as sleep } from 'node:timers/promises';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { formatCanonical, parseJsonObject } from '../../oci/json.ts';
import { mediaTypes } from '../../oci/spec.ts';
import type { Repository } from '../repository.ts';
import { pushBytes } from './push-image.ts';

/** Claim of somebody who wants to name a version. */
export interface VersionClaim {
  version: string;
  /** Digest of the manifest to name. */
  digest: Digest;
  /** A word that nobody else claims with: letters, digits and `-`. */
  claimant: string;
  signal: AbortSignal;
  /** Told once, when somebody else is in the way. */
  onWait: (text: string) => void;
}

/** In milliseconds. */
export interface ClaimTimes {
  /** A flag that is older when it is to be used is set again first. */
  hold: number;
  /** Somebody else's flag that has not changed for so long is a dead one's; more than `hold` and a slow request. */
  dead: number;
  /** Before the n-th try; two who are in each other's way must not wait equally long. */
  pause: (tries: number) => number;
}

const defaultTimes: ClaimTimes = {
  hold: 15_000,
  dead: 45_000,
  pause: (tries) => Math.random() * Math.min(2000, 50 * 2 ** tries),
};

/**
 * Names a version, of two who want to at once one alone. Registries know no "unless it is there", so each raises a flag, a tag
 * of its own next to the version, and looks for others: two can never both see only their own. Who sees another's, for another
 * image, lowers it and tries again a little later; that needs no registry that deletes. Answers the digest that stands under
 * the version then: another one where somebody else was first.
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
      // In this order: who lowers a flag has given the name before.
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

/** Flag of a claim: a tag next to the version, with a manifest of nothing that says whether it is up. */
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
   * Not every registry lets one delete; a flag that stays is in nobody's way once the version is there. Debian's registry looks
   * at all tags for those of the manifest, and where it meets one that is being written it fails, with the manifest gone and its
   * tag there: that goes with the next manifest that it is given.
   */
  async remove(pause: ClaimTimes['pause']): Promise<void> {
    for (let tries = 1; tries <= mostRemovals; tries += 1) {
      if (!(await this.#lostManifest())) return;
      await sleep(pause(tries));
      await this.set('down', -tries).catch(() => undefined);
    }
  }

  /** Deletes what was written; whether some of it was gone already, for nobody else deletes it. */
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

/** Tags end after 128 characters. */
function prefixOf(version: string): string {
  return `${version.slice(0, 80)}${flagMark}`;
}

/** Flags that others have up for the version, and how long one has seen each as it is. */
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

  /** Without those that have not moved for longer than `dead`. */
  async findLiving(dead: number): Promise<string[]> {
    const prefix = prefixOf(this.#claim.version);
    const tags = (await this.#repository.listTags()).filter((tag) => tag.startsWith(prefix) && tag !== this.#own);
    const ages = await Promise.all(tags.map((tag) => this.#ageOf(tag)));
    return tags.filter((_, index) => (ages[index] ?? dead) < dead);
  }

  /** Undefined for a flag that is down, gone or for the very same image. */
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

function readAnnotation(bytes: Buffer, name: string): string {
  const { annotations } = (parseJsonObject(bytes) ?? {}) as { annotations?: Record<string, unknown> | null };
  const value = annotations?.[name];
  return typeof value === 'string' ? value : '';
}
