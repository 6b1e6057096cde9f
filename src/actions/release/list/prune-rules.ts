import { prerelease } from 'semver';
import { compareReleases, type NamedImage } from '../../store/stored-releases.ts';

/** Rules that keep releases. */
export interface PruneRules {
  /** Number of newest versions to keep of each name; at least one. */
  keep: number;
  /** Number of days: releases made here within them are kept. */
  keepDays: number;
}

const day = 86_400_000;

/**
 * Chooses the releases that no rule keeps, by name, the newest first. Also kept are the newest stable version of each
 * name, what `isHeld` tells of, and every image that another name needs: a tag, or a kept release. Pure.
 */
export function chooseRemovable(
  named: readonly NamedImage[],
  { keep, keepDays }: PruneRules,
  now: number,
  isHeld: (reference: string) => boolean = () => false,
): NamedImage[] {
  const releases = named.filter(({ isRelease }) => isRelease).sort(compareReleases);
  const byName = Map.groupBy(onePerReference(releases), ({ name }) => name);
  const old = [...byName.values()].flatMap((versions) => {
    const newestStable = versions.find(({ version }) => prerelease(version) === null);
    return versions
      .slice(Math.max(1, keep))
      .filter((each) => each !== newestStable && each.keptAt < now - keepDays * day && !isHeld(each.reference));
  });
  const gone = new Set(old.map(({ reference }) => reference));
  const stays = named.filter(({ reference }) => !gone.has(reference));
  const needed = new Set(stays.map(({ imageId }) => imageId));
  const isNeeded = (release: NamedImage) =>
    named.some(({ reference, imageId }) => reference === release.reference && needed.has(imageId));
  return old.filter((release) => !isNeeded(release));
}

/** Keeps one entry for each reference: an index is one release, however many images it lists. */
function onePerReference(sorted: NamedImage[]): NamedImage[] {
  return sorted.filter(({ reference }, index) => reference !== sorted[index - 1]?.reference);
}
