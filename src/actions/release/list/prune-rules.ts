import { prerelease } from 'semver';
import { compareReleases, type NamedImage } from '../../store/stored-releases.ts';

/** Which releases stay in any case. */
export interface PruneRules {
  /** So many of each name, the newest versions; at least one. */
  keep: number;
  /** Keeps releases made here less than so many days ago. */
  keepDays: number;
}

const day = 86_400_000;

/**
 * The releases that no rule keeps, by name, the newest first. Besides the rules the newest version of a name that is no
 * pre-release stays, and every image that another name needs: a tag, or a release that stays. Pure.
 */
export function chooseRemovable(
  named: readonly NamedImage[],
  { keep, keepDays }: PruneRules,
  now: number,
): NamedImage[] {
  const releases = named.filter(({ isRelease }) => isRelease).sort(compareReleases);
  const byName = Map.groupBy(onePerReference(releases), ({ name }) => name);
  const old = [...byName.values()].flatMap((versions) => {
    const newestStable = versions.find(({ version }) => prerelease(version) === null);
    return versions
      .slice(Math.max(1, keep))
      .filter((each) => each !== newestStable && each.keptAt < now - keepDays * day);
  });
  const gone = new Set(old.map(({ reference }) => reference));
  const stays = named.filter(({ reference }) => !gone.has(reference));
  const needed = new Set(stays.map(({ imageId }) => imageId));
  const isNeeded = (release: NamedImage) =>
    named.some(({ reference, imageId }) => reference === release.reference && needed.has(imageId));
  return old.filter((release) => !isNeeded(release));
}

/** An index is one release, however many images it lists. */
function onePerReference(sorted: NamedImage[]): NamedImage[] {
  return sorted.filter(({ reference }, index) => reference !== sorted[index - 1]?.reference);
}
