import type { Digest } from '../../oci/digest.ts';
import { formatPurl, type PurlParts } from './purl.ts';

/** Package facts that one file of an image gives. */
export interface FoundPackage extends PurlParts {
  type: 'deb' | 'npm' | 'maven' | 'gem' | 'generic';
  version: string;
  /** SPDX license expression, where the package says one. */
  licence?: string;
  /** The source package a Debian package was built of, where they are not named alike. */
  source?: { name: string; version: string };
  /** It says of itself only parts of this: the rest was made out of its manifest and name. */
  isGuessed?: true;
  /** Where inside the file: an archive's member. */
  member?: string;
}

/** A package that an image holds, however often. */
export interface Package extends Omit<FoundPackage, 'member'> {
  purl: string;
  /** Where the image says so, sorted; `!/` leads into an archive. */
  paths: string[];
  /** diffID of the layer that brought it. */
  layer: Digest;
}

export interface Sighting {
  found: FoundPackage;
  path: string;
  layer: Digest;
}

/** Sorted by purl, each once: seen in several places, the first place's layer counts. */
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

/** Adds a place where a package was found; the file that knows more about it decides. */
function addPlace(known: Package, place: string, { licence, isGuessed }: FoundPackage): void {
  if (!known.paths.includes(place)) known.paths.push(place);
  if (known.licence === undefined && licence !== undefined) known.licence = licence;
  if (isGuessed !== true) delete known.isGuessed;
}
