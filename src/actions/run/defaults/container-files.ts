import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ContainerFile, ContainerMount } from '../../../engine/container/spec.ts';
import { ensureFile } from '../../../fs/ensure-file.ts';
import type { Host } from '../../../host.ts';

/** Small file that is the same in many containers: user tables, CA roots, the caller's settings of a tool. */
export interface FixedFile {
  /** Absolute path in the container. */
  path: string;
  content: string | Buffer;
  /** May hold credentials: only the caller may read it, and only its newest content is kept. */
  isPrivate?: boolean;
}

/**
 * Writes the files to the cache by their digest and binds them, read-only. Unpacking them would cost the engine more
 * than the rest of a container's creation. An existing file is compared, because a power loss may have emptied it.
 */
export function bindFixedFiles(host: Host, files: FixedFile[]): ContainerMount[] {
  return files.map((file) => ({
    type: 'bind',
    hostDir: file.isPrivate ? keepPrivateFile(host.cacheDir, file) : keepFile(host.cacheDir, file),
    containerDir: file.path,
    readOnly: true,
  }));
}

/**
 * Returns the files to copy into the container before it starts, for an engine that sees the workspace but not the
 * cache folder.
 */
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

/**
 * Stores the file by its path, not by its digest: a password that was changed is not kept. Running containers keep
 * their version.
 */
function keepPrivateFile(cacheDir: string, { path, content }: FixedFile): string {
  const file = join(cacheDir, 'host-files', createHash('sha256').update(path).digest('hex'));
  ensureFile(file, Buffer.from(content), 0o600);
  return file;
}
