import { type Paragraph, parseParagraphs } from './control.ts';
import type { FoundPackage } from './package.ts';

/** Parses the installed packages of dpkg's record (var/lib/dpkg/status, or one file of status.d). */
export function parseDpkgStatus(text: string): FoundPackage[] {
  return parseParagraphs(text)
    .filter(isInstalled)
    .map((paragraph) => {
      const { Package: name = '', Version: version = '', Architecture: arch } = paragraph;
      const source = readSource(paragraph);
      const isSame = source.name === name && source.version === version;
      return {
        type: 'deb',
        name,
        version,
        qualifiers: {
          ...(arch !== undefined && { arch }),
          ...(!isSame && { upstream: source.version === version ? source.name : `${source.name}@${source.version}` }),
        },
        ...(!isSame && { source }),
      };
    });
}

/** Whether a package is installed; files of status.d, in images without dpkg, have no Status. */
function isInstalled({ Package: name, Version: version, Status: status }: Paragraph): boolean {
  return name !== undefined && version !== undefined && (status === undefined || / installed$/.test(status));
}

/** Parses `Source: gcc-12 (12.2.0-14)`, with a version only where it differs. */
function readSource({ Package: name = '', Version: version = '', Source: source = name }: Paragraph) {
  const [, sourceName = source, sourceVersion = version] = /^(\S+)(?: \(([^)]+)\))?$/.exec(source) ?? [];
  return { name: sourceName, version: sourceVersion };
}

export interface Distro {
  /** Id such as `debian`, the purl's namespace. */
  id: string;
  /** Release such as `debian-12`; the code name where a suite has no number yet. */
  release: string;
}

/** Parses os-release(5). */
export function parseOsRelease(text: string): Distro {
  const values = Object.fromEntries(
    [...text.matchAll(/^(\w+)=(["']?)(.*)\2$/gm)].map(([, name, , value]) => [name!, value!]),
  );
  const { ID: id = 'linux', VERSION_ID: version = values.VERSION_CODENAME } = values;
  return { id, release: version === undefined ? id : `${id}-${version}` };
}
