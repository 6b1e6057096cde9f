import { closeSync, fsyncSync, linkSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { diskError, GbuildError, messageOf } from '../errors.ts';
import { quoteWord } from '../escape.ts';
import { readPieces } from '../fs/read-bounded.ts';
import { makeMark } from '../fs/writer-mark.ts';
import type { Depot, FileThere, FileToPut, PutContext } from './depot/depot.ts';
import { type Destination, formatDestination } from './depot/destination.ts';
import { compareStored, readAsDescribed } from './depot/read-file.ts';

/** Opens a depot for file:// addresses: a file appears whole or not at all, and replaces none. */
export function openFolderDepot({ signal }: Pick<PutContext, 'signal'>): Depot {
  return {
    look: async (at, file) => {
      signal.throwIfAborted();
      return await look(pathOf(at), at, file);
    },
    write: async (at, file) => {
      try {
        return write(pathOf(at), file, signal);
      } catch (thrown) {
        throw explain(thrown, at);
      }
    },
    close: () => {},
  };
}

async function look(path: string, at: Destination, file: FileToPut): Promise<FileThere | undefined> {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    return await compareStored(readPieces(path), file);
  } catch (thrown) {
    throw explain(thrown, at);
  }
}

function write(path: string, file: FileToPut, signal: AbortSignal): boolean {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.tmp-${makeMark()}`;
  try {
    const out = openSync(temporary, 'wx', 0o644);
    try {
      for (const piece of readAsDescribed(file)) {
        signal.throwIfAborted();
        for (let at = 0; at < piece.length; ) at += writeSync(out, piece, at);
      }
      fsyncSync(out);
    } finally {
      closeSync(out);
    }
    return moveNew(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Errors of file systems without hard links. */
const withoutLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Names a finished file, unless the name is taken: rename(2) would replace it, link(2) does not. */
function moveNew(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
  } catch (thrown) {
    const { code = '' } = thrown as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (!withoutLinks.has(code)) throw thrown;
    return claimAndMove(temporary, path);
  }
  return true;
}

/** Takes the name by an empty file, which only its maker replaces. */
function claimAndMove(temporary: string, path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o644));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw thrown;
  }
  renameSync(temporary, path);
  return true;
}

function pathOf(at: Destination): string {
  if (at.kind !== 'file') throw new GbuildError('bug', `${formatDestination(at)} is no file`);
  return at.path;
}

function explain(thrown: unknown, at: Destination): unknown {
  if (!(thrown instanceof Error) || thrown instanceof GbuildError) return thrown;
  const url = formatDestination(at);
  const path = pathOf(at);
  return (
    diskError(thrown, dirname(path)) ??
    new GbuildError('output-refused', `${url} cannot be written: ${messageOf(thrown)}`, {
      suggestions: [`ls -ld ${quoteWord(dirname(path))} ${quoteWord(path)}`],
      cause: thrown,
      facts: { url },
    })
  );
}
