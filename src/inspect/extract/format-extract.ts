import { escapeLine, quoteWord } from '../../escape.ts';
import { formatBytes } from '../../reporter/format.ts';
import type { ImageOrigin } from '../report.ts';
import type { SkippedPath } from './plan-extract.ts';

/** Result of writing an image, for `--json`. Sizes in bytes. */
export interface ExtractReport {
  reference: string;
  origin: ImageOrigin;
  imageId: string;
  dir: string;
  /** Path of the image, where only that was written. */
  path?: string;
  /** Number of files, hard links included. */
  files: number;
  folders: number;
  links: number;
  bytes: number;
  skipped: SkippedPath[];
  /** Files that lost the setuid and setgid bits or the capabilities of the image. */
  withoutPrivileges: string[];
  /** Number of links that would lead out of the folder, and were made relative. */
  relativeLinks: number;
  ownersKept: boolean;
}

/** Formats one line for a person. */
export function formatExtract({ reference, dir, path, files, folders, links, bytes }: ExtractReport): string {
  const what = path === undefined ? reference : `/${path} of ${reference}`;
  const counts = [count(files, 'file'), count(folders, 'folder'), count(links, 'link')].join(', ');
  return `extracted ${escapeLine(what)} to ${escapeLine(quoteWord(dir))}: ${counts}, ${formatBytes(bytes)}`;
}

const mostNamed = 5;

/** Formats the differences from the image. */
export function listDeviations({ skipped, withoutPrivileges }: ExtractReport): string[] {
  const named = skipped.map(({ path, why }) => `${escapeLine(path)} (${why})`);
  return [
    ...(skipped.length === 0 ? [] : [`${count(skipped.length, 'path')} not written: ${listSome(named)}`]),
    ...(withoutPrivileges.length === 0
      ? []
      : [`written without setuid and setgid bits and capabilities: ${listSome(withoutPrivileges.map(escapeLine))}`]),
  ];
}

/** Formats remarks for a reader. */
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
