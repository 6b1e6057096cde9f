import { posix } from 'node:path';
import type { ImageFiles } from './image-files.ts';

/** Default folders of Debian's and other loaders, and those of musl. */
const usual = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/lib32', '/usr/lib32', '/usr/local/lib'];

const mostIncludes = 8;

/**
 * Lists folders in which the image's loader searches libraries: from its settings, its build, and its own folder.
 * Rather too many than too few: a library that is wrongly reported stops somebody's release.
 */
export function listLibraryFolders(files: ImageFiles, interpreter: string): string[] {
  const own = files.findFile(interpreter)?.path ?? interpreter;
  const folders = [
    ...(isMusl(interpreter) ? readMuslPath(files, interpreter) : [...readConf(files), ...readCache(files)]),
    posix.dirname(interpreter),
    posix.dirname(own),
    ...usual,
    ...['/lib', '/usr/lib'].flatMap((parent) => listTriplets(files, parent)),
  ];
  return [...new Set(folders)];
}

/** Whether it is musl's loader, which is also the C library. */
export function isMusl(interpreter: string): boolean {
  return /^ld-musl-/.test(posix.basename(interpreter));
}

/** Lists triplets such as `x86_64-linux-gnu`, Debian's library folders of one machine. */
function listTriplets(files: ImageFiles, parent: string): string[] {
  return files
    .list(parent)
    .filter((name) => /^[\w]+-linux-(?:gnu|musl)\w*$/.test(name))
    .map((name) => `${parent}/${name}`);
}

/** Reads `/etc/ld.so.conf`, a folder a line, and the files that it includes. */
function readConf(files: ImageFiles, path = '/etc/ld.so.conf', depth = 0): string[] {
  if (depth > mostIncludes) return [];
  const lines = (files.readText(path) ?? '').split('\n').map((line) => line.replace(/#.*/, '').trim());
  return lines.flatMap((line) => {
    const [, pattern] = /^include\s+(.+)$/.exec(line) ?? [];
    if (pattern !== undefined)
      return expandGlob(files, posix.resolve('/etc', pattern)).flatMap((each) => readConf(files, each, depth + 1));
    return line.startsWith('/') ? [line] : [];
  });
}

function expandGlob(files: ImageFiles, pattern: string): string[] {
  const name = posix.basename(pattern);
  if (!name.includes('*')) return [pattern];
  const wanted = new RegExp(`^${name.split('*').map(quote).join('.*')}$`);
  const parent = posix.dirname(pattern);
  return files
    .list(parent)
    .filter((each) => wanted.test(each))
    .map((each) => `${parent}/${each}`);
}

function quote(text: string): string {
  return text.replaceAll(/[^\w-]/g, (letter) => `\\${letter}`);
}

/** Reads `/etc/ld.so.cache`, which ldconfig makes: its bytes contain the paths of libraries, each ended by a zero. */
function readCache(files: ImageFiles): string[] {
  const paths = (files.readText('/etc/ld.so.cache') ?? '').match(/\/[^\0\n]+(?=\0)/g) ?? [];
  return [...new Set(paths.map((path) => posix.dirname(path)))];
}

/** Reads `/etc/ld-musl-x86_64.path`, separated by colons or lines. */
function readMuslPath(files: ImageFiles, interpreter: string): string[] {
  const machine = posix.basename(interpreter).replace(/^ld-musl-|\.so.*$/g, '');
  return (files.readText(`/etc/ld-musl-${machine}.path`) ?? '')
    .split(/[:\n]/)
    .filter((folder) => folder.startsWith('/'));
}
