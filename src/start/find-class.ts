import { posix } from 'node:path';
import { type JarManifest, parseJarManifest } from '../attest/packages/jar-name.ts';
import { type ByteRange, listZip, openEntry, type ZipEntry } from '../attest/packages/zip.ts';
import type { ImageFiles } from './image-files.ts';

/** Jar in the image. */
export interface Jar {
  range: ByteRange;
  entries: ReadonlyMap<string, ZipEntry>;
  manifest: JarManifest;
}

const mostManifest = 1 << 20;

/** Opens a jar; undefined for a file that is no zip, or enormous. */
export function openJar(range: ByteRange): Jar | undefined {
  const entries = listZip(range);
  if (entries === undefined) return undefined;
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const named = byName.get('META-INF/MANIFEST.MF');
  const opened = named === undefined || named.size > mostManifest ? undefined : openEntry(range, named);
  return { range, entries: byName, manifest: parseJarManifest(opened?.read(0, opened.size).toString('utf8') ?? '') };
}

/**
 * Whether a class is on the class path: folders, jars, `FOLDER/*`, and jars that manifests name. Undefined where a jar
 * cannot be read: the answer is unknown then.
 */
export function isOnClassPath(
  files: ImageFiles,
  name: string,
  classPath: readonly string[],
  from: string,
): boolean | undefined {
  const member = `${name.replaceAll('.', '/')}.class`;
  const seen = new Set<string>();
  const queue = classPath.flatMap((path) => expandWildcard(files, path, from));
  for (const path of queue) {
    if (seen.has(path)) continue;
    seen.add(path);
    if (files.findFile(`${path}/${member}`, { from }) !== undefined) return true;
    const file = files.findFile(path, { from });
    if (file === undefined) continue;
    const jar = openJar(file.open());
    if (jar === undefined) return undefined;
    if (hasClass(jar, member)) return true;
    queue.push(...listNamedJars(jar, file.path));
  }
  return false;
}

export function hasClass({ entries }: Jar, member: string): boolean {
  return (
    entries.has(member) ||
    [...entries.keys()].some((key) => /^META-INF\/versions\/\d+\//.test(key) && key.endsWith(`/${member}`))
  );
}

/** Lists `Class-Path` of a manifest: addresses relative to the jar. */
export function listNamedJars({ manifest }: Pick<Jar, 'manifest'>, jarPath: string): string[] {
  const named = (manifest['Class-Path'] ?? '').split(/\s+/).filter((text) => text !== '' && !/^\w+:/.test(text));
  return named.map((text) => posix.resolve(posix.dirname(jarPath), decodeAddress(text)));
}

function decodeAddress(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function expandWildcard(files: ImageFiles, path: string, from: string): string[] {
  if (path !== '*' && !path.endsWith('/*')) return [path];
  const folder = posix.resolve(from, path.slice(0, -1));
  return files
    .list(folder)
    .filter((name) => /\.jar$/i.test(name))
    .map((name) => `${folder.replace(/\/$/, '')}/${name}`);
}
