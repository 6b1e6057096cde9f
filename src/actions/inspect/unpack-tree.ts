import { chmodSync, lchownSync, lutimesSync, symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type ExtractOptions, extract } from 'tar-fs';
import type { Stop } from '../../host.ts';
import type { ExtractPlan, PlannedLink } from '../../inspect/extract/plan-extract.ts';
import { type TarHeader, writeTar } from '../../oci/tar/tar.ts';
import { GatedFs } from './gated-fs.ts';

export interface UnpackOptions {
  /** Whether owners can be set. */
  isRoot: boolean;
  stop: Stop;
  onWritten: (bytes: number) => void;
}

/** Options of tar-fs that its types lack. */
interface Options extends ExtractOptions {
  fs: object;
  chown: boolean;
  umask: number;
}

/**
 * Writes a plan to a new folder that only this user may enter, so that nothing in it can be exchanged. Contents are
 * streamed from the layers. When this ends, also by a throw, nothing is written any more.
 */
export async function unpackTree(plan: ExtractPlan, dir: string, options: UnpackOptions): Promise<void> {
  const headers = new Map(
    [...plan.folders, ...plan.files.map(({ header }) => header)].map((each) => [each.path, each]),
  );
  const gate = new GatedFs();
  const unpacking: Options = {
    fs: gate.fs,
    chown: options.isRoot,
    umask: 0,
    map: (header) => {
      const known = headers.get(header.name.replace(/\/$/, ''));
      // tar-stream ignores owners in pax records.
      return known === undefined ? header : { ...header, uid: known.uid, gid: known.gid };
    },
  };
  try {
    await pipeline(Readable.from(readChunks(plan, options)), extract(dir, unpacking));
  } finally {
    await gate.close();
  }
  writeLinks(plan.links, dir, options);
  finishFolders(plan.folders, dir, options);
}

function* readChunks({ folders, files }: ExtractPlan, { stop, onWritten }: UnpackOptions): Generator<Buffer> {
  // Only this user may write into the folders until their real mode is set.
  const first = folders.map((header) => ({ header: { ...header, mode: 0o700 } }));
  let written = 0;
  for (const chunk of writeTar([...first, ...files])) {
    stop.ask.throwIfAborted();
    yield chunk;
    written += chunk.length;
    onWritten(written);
  }
}

/** Writes links without tar-fs, which follows the target of each link, and fails where it is below a file. */
function writeLinks(links: PlannedLink[], dir: string, { isRoot }: UnpackOptions): void {
  for (const { path, linkTarget, uid, gid, mtime } of links) {
    const link = join(dir, path);
    symlinkSync(linkTarget, link);
    if (isRoot) lchownSync(link, uid, gid);
    lutimesSync(link, mtime, mtime);
  }
}

/** Sets modes and times of folders, the innermost first, because writing into a folder changes its time. */
function finishFolders(folders: TarHeader[], dir: string, { isRoot }: UnpackOptions): void {
  for (const { path, mode, uid, gid, mtime } of folders.toReversed()) {
    const folder = join(dir, path);
    if (isRoot) lchownSync(folder, uid, gid);
    utimesSync(folder, mtime, mtime);
    chmodSync(folder, mode);
  }
}
