import { GbuildError, messageOf } from '../../errors.ts';
import { digestOf } from '../digest.ts';
import { formatCanonical, parseJsonObject } from '../json.ts';
import { annotationKeys, type Descriptor, type Index } from '../spec.ts';

/**
 * Annotation of an entry in a store's index: a digest over the rest of the entry. Only the index holds names and facts,
 * so a flipped bit would otherwise become another release.
 */
const sealKey = 'io.gbuild.seal';

/** Formats the bytes of an index, with its entries sealed on request. */
export function formatIndexFile(index: Index, isSealed: boolean): Buffer {
  return formatCanonical(isSealed ? { ...index, manifests: index.manifests.map(seal) } : index);
}

/**
 * Parses an index; checks and removes the seals. Throws `store-failed` with the file's name for an invalid or changed
 * index.
 */
export function parseIndexFile(text: string, file: string): Index {
  const index = parseJson(text, file);
  const manifests = listEntries(index);
  if (manifests === undefined) throw notAnIndex(file, 'it has no list of manifests');
  const read = manifests.map((each) => {
    if (!isDescriptor(each)) throw notAnIndex(file, 'an entry of it names no blob');
    if (!isAsSealed(each)) throw notAnIndex(file, `its entry ${nameOf(each)} is not what was written`);
    return unseal(each);
  });
  return { ...(index as Index), manifests: read };
}

/**
 * Recovers the reliable part of a damaged index: entries with an intact seal, and the copy's entries of other names.
 */
export function recoverIndex(text: string, copy: Index): Index {
  const good = listGood(text);
  const names = new Set(good.map(nameOf));
  return { ...copy, manifests: [...good, ...copy.manifests.filter((each) => !names.has(nameOf(each)))] };
}

export function nameOf(descriptor: Descriptor): string {
  return descriptor.annotations?.[annotationKeys.refName] ?? '';
}

function listGood(text: string): Descriptor[] {
  const known = (listEntries(parseJsonObject(text)) ?? []).filter(isDescriptor);
  return known.filter((each) => hasSeal(each) && isAsSealed(each)).map(unseal);
}

function listEntries(index: unknown): unknown[] | undefined {
  const { manifests } = (index ?? {}) as { manifests?: unknown };
  return Array.isArray(manifests) ? manifests : undefined;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GbuildError('store-failed', `${JSON.stringify(file)} is not JSON: ${messageOf(cause)}`, { cause });
  }
}

/** Whether the value is a descriptor; its digest may use an unknown algorithm, because foreign entries stay. */
function isDescriptor(value: unknown): value is Descriptor {
  const { mediaType, digest, size, annotations = {} } = (value ?? {}) as Partial<Descriptor>;
  const isKnown = typeof mediaType === 'string' && /^[\w+.-]+:[\w=-]+$/.test(digest ?? '');
  const isText = (each: unknown) => typeof each === 'string';
  return isKnown && Number.isSafeInteger(size) && Object.values(annotations).every(isText);
}

function seal(descriptor: Descriptor): Descriptor {
  return { ...descriptor, annotations: { ...descriptor.annotations, [sealKey]: sealOf(descriptor) } };
}

function unseal({ annotations, ...descriptor }: Descriptor): Descriptor {
  if (annotations === undefined) return descriptor;
  const { [sealKey]: _, ...others } = annotations;
  return Object.keys(others).length === 0 ? descriptor : { ...descriptor, annotations: others };
}

function hasSeal({ annotations }: Descriptor): boolean {
  return annotations?.[sealKey] !== undefined;
}

/** Whether the seal is intact; an entry of an older gbuild has none. */
function isAsSealed(descriptor: Descriptor): boolean {
  return !hasSeal(descriptor) || descriptor.annotations?.[sealKey] === sealOf(unseal(descriptor));
}

function sealOf(descriptor: Descriptor): string {
  return digestOf(formatCanonical(descriptor));
}

function notAnIndex(file: string, why: string): GbuildError {
  return new GbuildError('store-failed', `${JSON.stringify(file)} is not an OCI index: ${why}`);
}
