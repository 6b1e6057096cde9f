import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createFixture } from 'fs-fixture';
import { extract } from 'tar-stream';
import type { Entry } from '../../../src/oci/tar/entry.ts';

export const directory = (path: string): Entry => ({ path, type: 'directory' });

export function file(path: string, text: string, executable = false): Entry {
  const bytes = Buffer.from(text);
  return { path, type: 'file', executable, content: { bytes, size: bytes.length } };
}

export const symlink = (path: string, target: string): Entry => ({ path, type: 'symlink', target });

/** Small tree with one entry of each kind; the golden digests depend on it. */
export const goldenTree: Entry[] = [
  file('app/server.js', 'console.log("hello");\n'),
  file('app/bin/start', '#!/bin/sh\nexec node server.js\n', true),
  directory('app/empty'),
  symlink('app/current', 'bin/start'),
  file('app/grüße.txt', 'grüße\n'),
  file(`app/${'d'.repeat(90)}/${'f'.repeat(120)}`, 'long\n'),
  file('app/zero', ''),
];

/** Makes a folder that is removed with the test. */
export async function makeFolder(): Promise<{ path: string; getPath(...parts: string[]): string } & AsyncDisposable> {
  return createFixture({});
}

export interface TarEntry {
  path: string;
  type: string;
  mode: number;
  text: string;
  link: string | null;
  uid: number;
  mtime: number;
}

/** Lists the entries that tar-stream, an independent reader, finds in the tar. */
export async function readByTarStream(chunks: Iterable<Buffer>): Promise<TarEntry[]> {
  const found: TarEntry[] = [];
  const extraction = extract();
  Readable.from(chunks, { objectMode: false }).pipe(extraction);
  for await (const entry of extraction) {
    const { name, type, mode, linkname, uid, mtime } = entry.header;
    let text = '';
    for await (const chunk of entry) text += String(chunk);
    const seconds = (mtime?.getTime() ?? 0) / 1000;
    found.push({ path: name, type: type!, mode: mode!, text, link: linkname ?? null, uid: uid!, mtime: seconds });
  }
  return found;
}

/** Unpacks with the system's tar and lists the output of find, separated by NUL. */
export function unpackBySystemTar(chunks: Iterable<Buffer>, dir: string): string[] {
  const archive = join(dir, 'archive.tar');
  writeFileSync(archive, Buffer.concat([...chunks]));
  const target = join(dir, 'unpacked');
  execFileSync('mkdir', [target]);
  execFileSync('tar', ['-xf', archive, '-C', target]);
  const listed = execFileSync('find', ['.', '-mindepth', '1', '-printf', '%P\\0'], { cwd: target, encoding: 'utf8' });
  return listed.split('\0').slice(0, -1).sort();
}

/** Yields one entry at a time, like a host's stream. */
export async function* asStream(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
