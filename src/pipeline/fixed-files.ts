import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerFile, ContainerMount } from '../engine/container-spec.ts';
import type { Host } from '../host.ts';

/** A small file that many containers get alike: user tables, CA roots. Absolute path in the container. */
export interface FixedFile {
  path: string;
  text: string;
}

/**
 * Lays the files down in the cache by their digest and binds them, read-only: the engine unpacks nothing, which costs it
 * more than the rest of a container's creation.
 */
export function bindFixedFiles(host: Host, files: FixedFile[]): ContainerMount[] {
  return files.map(({ path, text }) => ({
    type: 'bind',
    hostDir: keepFile(join(host.cacheDir, 'fixed-files'), text),
    containerDir: path,
    readOnly: true,
  }));
}

/** The same for an engine that sees the workspace but not the cache folder: put into the container before it starts. */
export function putFixedFiles(files: FixedFile[]): ContainerFile[] {
  return files.map(({ path, text }) => ({
    path,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    content: Buffer.from(text),
  }));
}

function keepFile(dir: string, text: string): string {
  const file = join(dir, createHash('sha256').update(text).digest('hex'));
  if (existsSync(file)) return file;
  mkdirSync(dir, { recursive: true });
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, text, { mode: 0o644 });
  renameSync(beside, file);
  return file;
}
