import { parseCopyright } from './copyright.ts';
import { type Distro, parseDpkgStatus, parseOsRelease } from './debian.ts';
import { parseGemspec } from './gem.ts';
import { archivePattern, readJar } from './jar.ts';
import { parsePackageJson } from './npm.ts';
import type { FoundPackage } from './package.ts';
import { parsePomProperties } from './pom.ts';
import { findNodeVersion } from './runtime.ts';
import type { ByteRange } from './zip.ts';

/** Mark of a package at a path of an image. */
export interface Mark {
  packages?: FoundPackage[];
  /** Licence of the Debian package with this documentation. */
  licence?: string;
  /** Package whose documentation is used for this one. */
  sameAs?: string;
  distro?: Distro;
}

/** File of a layer, readable as far as needed. */
export interface FileOfLayer {
  size: number;
  readText(): Promise<string>;
  openRange(): Promise<ByteRange>;
  chunks: AsyncIterable<Uint8Array>;
}

interface Reader {
  pattern: RegExp;
  read(file: FileOfLayer, path: string): Promise<Mark> | Mark;
}

const readText =
  (parse: (text: string, path: string) => Mark): Reader['read'] =>
  async (file, path) =>
    file.size > mostText ? {} : parse(await file.readText(), path);

const mostText = 32 << 20;

const readers: Reader[] = [
  {
    pattern: /^var\/lib\/dpkg\/(status|status\.d\/[^/]+(?<!\.md5sums))$/,
    read: readText((text) => ({ packages: parseDpkgStatus(text) })),
  },
  { pattern: /^(etc|usr\/lib)\/os-release$/, read: readText((text) => ({ distro: parseOsRelease(text) })) },
  {
    pattern: /^usr\/share\/doc\/[^/]+\/copyright$/,
    read: readText((text) => {
      const licence = parseCopyright(text);
      return licence === undefined ? {} : { licence };
    }),
  },
  {
    pattern: /(^|\/)node_modules\/(@[^/]+\/)?[^/@.][^/]*\/package\.json$/,
    read: readText((text) => ({ packages: parsePackageJson(text) })),
  },
  {
    pattern: /(^|\/)specifications\/(default\/)?[^/]+\.gemspec$/,
    read: readText((text, path) => ({ packages: parseGemspec(text, path) })),
  },
  {
    pattern: /(^|\/)META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/,
    read: readText((text) => {
      const { groupId, artifactId, version } = parsePomProperties(text);
      if (groupId === undefined || artifactId === undefined || version === undefined) return {};
      return { packages: [{ type: 'maven', namespace: groupId, name: artifactId, version }] };
    }),
  },
  { pattern: archivePattern, read: async (file, path) => ({ packages: readJar(await file.openRange(), path) }) },
  { pattern: /(^|\/)bin\/node$/, read: async (file) => ({ packages: await findNodeVersion(file.chunks) }) },
];

/** Finds the reader for a path; undefined for a file without packages. */
export function findReader(path: string): Reader['read'] | undefined {
  return readers.find(({ pattern }) => pattern.test(path))?.read;
}

/** Reads a folder of documentation that links to another package's: both have the same licences. */
export function readLink(path: string, target: string): Mark | undefined {
  if (!/^usr\/share\/doc\/[^/]+$/.test(path)) return undefined;
  const [, sameAs] = /^(?:.*\/)?([^/]+)\/?$/.exec(target) ?? [];
  return sameAs === undefined ? undefined : { sameAs };
}
