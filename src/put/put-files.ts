import { GbuildError } from '../errors.ts';
import { quoteWord } from '../escape.ts';
import type { Depot, FileThere, FileToPut, PutContext } from './depot/depot.ts';
import { type Destination, destinationOf, formatDestination } from './depot/destination.ts';

/** File that is at its destination. */
export interface FilePut {
  /** Address without user, password and query. */
  url: string;
  size: number;
  sha256: string;
  /** Whether the same bytes were there before: nothing was written. */
  alreadyThere: boolean;
}

/**
 * Puts files at a destination, in their order, and looks at each afterwards. Nothing is written where one of the keys
 * has other bytes. @throws GbuildError `output-refused` for those, `registry-denied`, `network-failed`, `disk-failed`
 */
export async function putFilesAt(
  destination: Destination,
  files: readonly FileToPut[],
  context: PutContext,
): Promise<FilePut[]> {
  if (!destination.isFolder && files.length !== 1) throw refuseMany(destination, files.length);
  const placed = files.map((file) => ({ file, at: destinationOf(destination, file.path) }));
  const depot = await openDepot(destination, context);
  try {
    const found = new Map<FileToPut, FileThere | undefined>();
    for (const { file, at } of placed) found.set(file, await lookSame(depot, at, file));
    const put: FilePut[] = [];
    for (const { file, at } of placed) {
      const isThere = found.get(file) !== undefined;
      const hasWritten = !isThere && (await putOne(depot, at, file));
      const { size, sha256 } = file;
      put.push({ url: formatDestination(at), size, sha256, alreadyThere: !hasWritten });
    }
    return put;
  } finally {
    depot.close();
  }
}

/** Loads only the code of this kind of place: the library for S3 is large. */
async function openDepot(destination: Destination, context: PutContext): Promise<Depot> {
  if (destination.kind === 's3') return (await import('./s3/s3-depot.ts')).openS3Depot(destination, context);
  if (destination.kind === 'http') return (await import('./http/http-depot.ts')).openHttpDepot(context);
  return (await import('./folder-depot.ts')).openFolderDepot(context);
}

/** Writes and looks again. Returns whether it wrote. */
async function putOne(depot: Depot, at: Destination, file: FileToPut): Promise<boolean> {
  const hasWritten = await depot.write(at, file);
  if ((await lookSame(depot, at, file)) !== undefined) return hasWritten;
  throw new GbuildError('network-failed', `${formatDestination(at)} was written, and nothing is there`, {
    suggestions: ['run the same command again'],
    facts: { url: formatDestination(at) },
  });
}

async function lookSame(depot: Depot, at: Destination, file: FileToPut): Promise<FileThere | undefined> {
  const there = await depot.look(at, file);
  if (there === undefined || there.isSame) return there;
  const url = formatDestination(at);
  const { sha256, size } = there;
  const shown = `sha256 ${sha256}${size === undefined ? '' : `, ${size} bytes`}`;
  const here = `sha256 ${file.sha256}, ${file.size} bytes`;
  const message = `${url} has other bytes, and what is there is never replaced\n  there: ${shown}\n  here:  ${here}`;
  throw new GbuildError('output-refused', message, {
    suggestions: [readCommandOf(at), 'put it under another version or key'],
    facts: { url, there: { sha256, size }, here: { sha256: file.sha256, size: file.size } },
  });
}

/** Returns a command that shows what is there. */
function readCommandOf(at: Destination): string {
  const url = quoteWord(formatDestination(at));
  if (at.kind === 's3') return `aws s3 cp ${url} - | sha256sum`;
  return at.kind === 'http' ? `curl -fsS ${url} | sha256sum` : `sha256sum ${quoteWord(at.path)}`;
}

function refuseMany(destination: Destination, count: number): GbuildError {
  const shown = formatDestination(destination);
  const what = count === 0 ? 'no file' : `${count} files`;
  return new GbuildError('usage', `${shown} takes one file, and there ${count === 0 ? 'is' : 'are'} ${what}`, {
    suggestions: [`--put ${shown}/   # each file under its path`],
  });
}
