import { isSeq, parseDocument } from 'yaml';

/** What a spec names under `catalogs`, as it is written there; nothing where that is no list, which reading the spec tells. */
export function parseCatalogPlaces(text: string): string[] {
  const node = parseDocument(text).get('catalogs');
  const places: unknown[] = isSeq(node) ? node.toJSON() : [];
  return places.filter((place): place is string => typeof place === 'string');
}
