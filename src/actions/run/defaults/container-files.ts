import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ContainerFile, ContainerMount } from '../../../engine/container/spec.ts';
import { ensureFile } from '../../../fs/ensure-file.ts';
import type { Host } from '../../../host.ts';

/** A small file that many containers get alike: user tables, CA roots, the caller's settings of a tool. */
export interface FixedFile {
  /** Absolute, in the container. */
  path: string;
  content: string | Buffer;
  /** It may hold credentials: nobody but the caller may read it, and only its newest content is kept. */
  isPrivate?: boolean;
}

/**
 * Lays the files down in the cache by their digest and binds them, read-only: the engine unpacks nothing, which costs it
 * more than the rest of a container's creation. One that is there is compared, for a power loss may have emptied it.
 */
export function bindFixedFiles(host: Host, files: FixedFile[]): ContainerMount[] {
  return files.map((file) => ({
    type: 'bind',
    hostDir: file.isPrivate ? keepPrivateFile(host.cacheDir, file) : keepFile(host.cacheDir, file),
    containerDir: file.path,
    readOnly: true,
  }));
}

/** The same for an engine that sees the workspace but not the cache folder: put into the container before it starts. */
export function putFixedFiles(files: FixedFile[], identity: { uid: number; gid: number }): ContainerFile[] {
  return files.map(({ path, content, isPrivate }) => ({
    path,
    type: 'file',
    mode: isPrivate ? 0o600 : 0o644,
    uid: isPrivate ? identity.uid : 0,
    gid: isPrivate ? identity.gid : 0,
    content: Buffer.from(content),
  }));
}

function keepFile(cacheDir: string, { content }: FixedFile): string {
  const file = join(cacheDir, 'fixed-files', createHash('sha256').update(content).digest('hex'));
  ensureFile(file, Buffer.from(content), 0o644);
  return file;
}

/** By its place, not by its digest: a password that was changed is not kept. Running containers keep what they have. */
function keepPrivateFile(cacheDir: string, { path, content }: FixedFile): string {
  const file = join(cacheDir, 'host-files', createHash('sha256').update(path).digest('hex'));
  ensureFile(file, Buffer.from(content), 0o600);
  return file;
}
