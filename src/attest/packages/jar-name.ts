import { readLicence } from './licence.ts';
import type { FoundPackage } from './package.ts';

/** Main attributes of a META-INF/MANIFEST.MF. */
export type JarManifest = Record<string, string>;

/**
 * Parses a manifest (JAR File Specification, "Notes on Manifest and Signature Files"): lines of 72 bytes, continued by
 * a space.
 */
export function parseJarManifest(text: string): JarManifest {
  const main = text.replaceAll(/\r\n?/g, '\n').replaceAll('\n ', '').split(/\n\n/)[0]!;
  const pairs = [...main.matchAll(/^([\w-]+): ?(.*)$/gm)].map(([, key, value]) => [key!, value!.trim()]);
  return Object.fromEntries(pairs);
}

/**
 * Names a jar without pom.properties: by its path in a Maven or Ivy repository, its manifest and its name
 * (`scala-library-2.13.16.jar`, or sbt-native-packager's `org.scala-lang.scala-library-2.13.16.jar`). Without a group
 * the result is no Maven coordinate but a name and version. Undefined where nothing holds a version, and for a Debian
 * package's own jar.
 */
export function nameJar(path: string, manifest: JarManifest): FoundPackage | undefined {
  const stem = path
    .split('/')
    .at(-1)!
    .replace(/\.\w+$/, '');
  const [, fileName = stem, fileVersion] = /^(.+?)-(\d[\w.+-]*)$/.exec(stem) ?? [];
  const version = fileVersion ?? manifest['Implementation-Version'] ?? manifest['Bundle-Version'];
  if (version === undefined || !/^[\w.+~-]+$/.test(version)) return undefined;
  const [group, name] = readPlace(path, fileName) ?? splitStaged(fileName) ?? [readGroup(fileName, manifest), fileName];
  if (group === undefined && /^usr\/(lib|share)\//.test(path)) return undefined;
  const licence = readBundleLicence(manifest);
  return {
    type: group === undefined ? 'generic' : 'maven',
    ...(group !== undefined && { namespace: group }),
    name,
    version,
    isGuessed: true,
    ...(licence !== undefined && { licence }),
  };
}

/** Reads `Bundle-License: Apache-2.0;link="..."`, or an address alone; the first of several counts. */
export function readBundleLicence(manifest: JarManifest): string | undefined {
  return readLicence(manifest['Bundle-License']?.split(/[;,]/)[0] ?? '');
}

/**
 * Reads `.../maven2/GROUP/NAME/VERSION/NAME-VERSION.jar` of Maven and coursier, `.../GROUP/NAME/jars/NAME-VERSION.jar`
 * of Ivy.
 */
function readPlace(path: string, name: string): [string, string] | undefined {
  const folders = path.split('/').slice(0, -1);
  const [above, last] = folders.slice(-2);
  if (above === name && (last === 'jars' || last === 'bundles')) return [folders.at(-3) ?? '', name];
  const root = Math.max(...['maven2', 'repository', 'public', 'releases'].map((each) => folders.lastIndexOf(each)));
  if (above !== name || root === -1 || root >= folders.length - 2) return undefined;
  return [folders.slice(root + 1, -2).join('.'), name];
}

const scalaVersion = /_\d+(\.\d+)*$/;

/** Splits a staged name; a Scala version at its end belongs to the name: `com.typesafe.akka.akka-actor_2.13`. */
function splitStaged(fileName: string): [string, string] | undefined {
  const suffix = scalaVersion.exec(fileName)?.[0] ?? '';
  const labels = fileName.slice(0, fileName.length - suffix.length).split('.');
  if (labels.length < 3 || !labels.every((label) => /^[A-Za-z][\w-]*$/.test(label))) return undefined;
  return [labels.slice(0, -1).join('.'), labels.at(-1)! + suffix];
}

function readGroup(fileName: string, manifest: JarManifest): string | undefined {
  const bare = fileName.replace(scalaVersion, '');
  const bundle = manifest['Bundle-SymbolicName']?.split(';')[0]?.trim();
  for (const name of [fileName, bare]) {
    if (bundle?.endsWith(`.${name}`)) return bundle.slice(0, -name.length - 1);
  }
  const vendor = manifest['Implementation-Vendor-Id'];
  return vendor !== undefined && /^[a-z]\w*(\.[\w-]+)+$/.test(vendor) ? vendor : undefined;
}
