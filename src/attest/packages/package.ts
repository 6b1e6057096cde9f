import type { Digest } from '../../oci/digest.ts';
import { formatPurl, type PurlParts } from './purl.ts';

/** Facts of a package from one file of an image. */
export interface FoundPackage extends PurlParts {
  type: 'deb' | 'npm' | 'maven' | 'gem' | 'generic';
  version: string;
  /** SPDX license expression, where the package has one. */
  licence?: string;
  /** Source package of a Debian package, where its name differs. */
  source?: { name: string; version: string };
  /** Whether it names itself only in part: the rest was derived from its manifest and name. */
  isGuessed?: true;
  /** Path inside the file: an archive's member. */
  member?: string;
}

/** Package in an image, however many times it occurs. */
export interface Package extends Omit<FoundPackage, 'member'> {
  purl: string;
  /** Paths where the image has it, sorted; `!/` leads into an archive. */
  paths: string[];
  /** diffID of the layer that added it. */
  layer: Digest;
}

export interface Sighting {
  found: FoundPackage;
  path: string;
  layer: Digest;
}

/**
 * Merges sightings to packages, sorted by purl, each once. The first path's layer counts for a package in several
 * places.
 */
export function mergeSightings(sightings: Iterable<Sighting>): Package[] {
  const packages = new Map<string, Package>();
  for (const { found, path, layer } of sightings) {
    const { member, ...rest } = found;
    const purl = formatPurl(rest);
    const place = member === undefined ? path : `${path}!/${member}`;
    const known = packages.get(purl);
    if (known === undefined) packages.set(purl, { ...rest, purl, paths: [place], layer });
    else addPlace(known, place, rest);
  }
  for (const { paths } of packages.values()) paths.sort();
  return [...packages.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

/** Adds a path of a package; the file with more facts about it decides. */
function addPlace(known: Package, place: string, { licence, isGuessed }: FoundPackage): void {
  if (!known.paths.includes(place)) known.paths.push(place);
  if (known.licence === undefined && licence !== undefined) known.licence = licence;
  if (isGuessed !== true) delete known.isGuessed;
}
