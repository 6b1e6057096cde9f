import { type JarManifest, nameJar, parseJarManifest, readBundleLicence } from './jar-name.ts';
import type { FoundPackage } from './package.ts';
import { parsePomProperties, readPomLicence } from './pom.ts';
import { type ByteRange, listZip, openEntry, type ZipEntry } from './zip.ts';

export const archivePattern: RegExp = /\.(jar|war|ear)$/;
const propertiesPattern = /^(?:.*\/)?META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/;
const deepest = 3;
const mostText = 4 << 20;

/**
 * Reads the Maven artifacts in a jar, war or ear: those of its pom.properties, shaded ones too, and those of nested
 * archives, as in Spring Boot. Where no pom.properties is the jar's own, its manifest and name are used.
 */
export function readJar(range: ByteRange, path: string, depth = 0): FoundPackage[] {
  const entries = listZip(range);
  if (entries === undefined) return [];
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const readText = (name: string) => textOf(range, byName.get(name));
  const manifest = parseJarManifest(readText('META-INF/MANIFEST.MF') ?? '');
  const named = entries
    .filter((entry) => propertiesPattern.test(entry.name))
    .flatMap((entry) => readPom(entry.name, readText).map((found) => ({ ...found, member: entry.name })))
    .map((found) => (isNamedAfter(path, found) ? { ...licenceOf(manifest), ...found } : found));
  const own = named.some((found) => isNamedAfter(path, found)) ? [] : guessOwn(path, manifest, named);
  const nested = depth === deepest ? [] : entries.filter(({ name }) => archivePattern.test(name));
  return [...own, ...named, ...nested.flatMap((entry) => readNested(range, entry, depth))];
}

/** Reads the artifact of a pom.properties and the pom.xml next to it; missing names come from their folder. */
function readPom(path: string, readText: (path: string) => string | undefined): FoundPackage[] {
  const [groupId, artifactId] = path.split('/').slice(-3, -1);
  const properties = { groupId, artifactId, ...parsePomProperties(readText(path) ?? '') };
  if (properties.version === undefined || properties.artifactId === undefined) return [];
  const licence = readPomLicence(readText(path.replace(/properties$/, 'xml')) ?? '');
  return [
    {
      type: 'maven',
      ...(properties.groupId !== undefined && { namespace: properties.groupId }),
      name: properties.artifactId,
      version: properties.version,
      ...(licence !== undefined && { licence }),
    },
  ];
}

/** Reads the manifest's licence: a pom.xml lacks licences that it inherits. */
function licenceOf(manifest: JarManifest): { licence?: string } {
  const licence = readBundleLicence(manifest);
  return licence === undefined ? {} : { licence };
}

function isNamedAfter(path: string, { name, version }: FoundPackage): boolean {
  const stem = path.split('/').at(-1)!.replace(archivePattern, '');
  return stem === name || stem.endsWith(`.${name}`) || stem.includes(`${name}-${version}`);
}

/** Guesses the jar's own artifact; none where one of its pom.properties has it in full. */
function guessOwn(path: string, manifest: JarManifest, named: FoundPackage[]): FoundPackage[] {
  const guess = nameJar(path, manifest);
  const isTold = named.some(({ name, version }) => version === guess?.version && guess.name.startsWith(name));
  return guess === undefined || isTold ? [] : [guess];
}

function readNested(range: ByteRange, entry: ZipEntry, depth: number): FoundPackage[] {
  const inner = openEntry(range, entry);
  if (inner === undefined) return [];
  return readJar(inner, entry.name, depth + 1).map((found) => ({
    ...found,
    member: found.member === undefined ? entry.name : `${entry.name}!/${found.member}`,
  }));
}

function textOf(range: ByteRange, entry: ZipEntry | undefined): string | undefined {
  if (entry === undefined || entry.size > mostText) return undefined;
  const opened = openEntry(range, entry);
  return opened?.read(0, opened.size).toString('utf8');
}
