import { escapeLine, quoteWord } from '../../escape.ts';
import { formatBytes } from '../../reporter/format.ts';
import type { ImageOrigin } from '../report.ts';
import type { SkippedPath } from './plan-extract.ts';

/** Account of what was written of an image: the answer of `--json`. Sizes in bytes. */
export interface ExtractReport {
  reference: string;
  origin: ImageOrigin;
  imageId: string;
  dir: string;
  /** The path of the image that alone was written. */
  path?: string;
  /** Files, hard links included. */
  files: number;
  folders: number;
  links: number;
  bytes: number;
  skipped: SkippedPath[];
  /** Files without the setuid and setgid bits or the capabilities that they have in the image. */
  withoutPrivileges: string[];
  /** Links that would lead out of the folder, made relative. */
  relativeLinks: number;
  ownersKept: boolean;
}

/** One line for a person. */
export function formatExtract({ reference, dir, path, files, folders, links, bytes }: ExtractReport): string {
  const what = path === undefined ? reference : `/${path} of ${reference}`;
  const counts = [count(files, 'file'), count(folders, 'folder'), count(links, 'link')].join(', ');
  return `extracted ${escapeLine(what)} to ${escapeLine(quoteWord(dir))}: ${counts}, ${formatBytes(bytes)}`;
}

const mostNamed = 5;

/** Formats what is not as it is in the image. */
export function listDeviations({ skipped, withoutPrivileges }: ExtractReport): string[] {
  const named = skipped.map(({ path, why }) => `${escapeLine(path)} (${why})`);
  return [
    ...(skipped.length === 0 ? [] : [`${count(skipped.length, 'path')} not written: ${listSome(named)}`]),
    ...(withoutPrivileges.length === 0
      ? []
      : [`written without setuid and setgid bits and capabilities: ${listSome(withoutPrivileges.map(escapeLine))}`]),
  ];
}

/** Formats what a reader may want to know besides. */
export function listRemarks({ relativeLinks, ownersKept }: ExtractReport): string[] {
  return [
    ...(relativeLinks === 0
      ? []
      : [`links made relative, because they would lead out of the folder: ${relativeLinks}`]),
    ...(ownersKept ? [] : ['all files belong to you: only root can give them the owners that they have in the image']),
  ];
}

function listSome(names: string[]): string {
  const more = names.length - mostNamed;
  return [...names.slice(0, mostNamed), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
