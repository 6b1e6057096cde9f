import { posix } from 'node:path';
import { type Elf, readElf } from './elf.ts';
import type { FoundFile, ImageFiles } from './image-files.ts';
import { isMusl, listLibraryFolders } from './library-folders.ts';

/** Library that the image lacks. */
export interface MissingLibrary {
  name: string;
  /** Path in the image of the program or library that needs it. */
  neededBy: string;
}

/** File of machine code, and the chain of files that it was loaded for. */
interface Loaded {
  file: FoundFile;
  /** Path by which it was found, which may be a link. */
  asked: string;
  elf: Elf;
  by: Loaded[];
}

/** Names that musl's loader provides itself. */
const partsOfMusl = /^lib(?:c|pthread|rt|m|dl|util|xnet)\./;

/**
 * Finds the libraries that a program needs and its loader does not find, at any depth: by DT_RPATH and DT_RUNPATH,
 * LD_LIBRARY_PATH, the loader's settings and its default folders (ld.so(8)). A folder that depends on more than the
 * image counts as having all of them.
 */
export function findMissingLibraries(
  files: ImageFiles,
  program: FoundFile,
  elf: Elf,
  libraryPath: readonly string[],
): MissingLibrary[] {
  const { interpreter } = elf;
  if (interpreter === undefined) return [];
  const usual = listLibraryFolders(files, interpreter);
  const known = new Set([posix.basename(interpreter)]);
  const missing: MissingLibrary[] = [];
  const queue: Loaded[] = [{ file: program, asked: program.path, elf, by: [] }];
  for (const each of queue) {
    for (const name of each.elf.needed) {
      if (known.has(name) || (isMusl(interpreter) && partsOfMusl.test(name))) continue;
      known.add(name);
      const own = listOwnFolders(each, isMusl(interpreter));
      if (own.some((folder) => /[$]/.test(folder))) continue;
      const found = findLibrary(files, name, elf, [...own, ...libraryPath, ...usual]);
      if (found === undefined) missing.push({ name, neededBy: each.file.path });
      else queue.push({ ...found, by: [...each.by, each] });
    }
  }
  return missing;
}

/**
 * Lists RPATH and RUNPATH. DT_RPATH is ignored with DT_RUNPATH; musl uses both, and those of all files that load this
 * one.
 */
function listOwnFolders(loaded: Loaded, isMusls: boolean): string[] {
  const chain = [loaded, ...loaded.by.toReversed()];
  if (isMusls) return chain.flatMap((each) => [...each.elf.rpath, ...each.elf.runpath].flatMap(expandFor(each)));
  if (loaded.elf.runpath.length > 0) return loaded.elf.runpath.flatMap(expandFor(loaded));
  return chain.flatMap((each) => (each.elf.runpath.length > 0 ? [] : each.elf.rpath.flatMap(expandFor(each))));
}

/** Expands `$ORIGIN`, the file's own folder, and `$LIB`, a name from the loader's build. */
function expandFor({ file, asked, elf }: Loaded): (folder: string) => string[] {
  const origins = [...new Set([posix.dirname(asked), posix.dirname(file.path)])];
  const names = elf.is64 ? ['lib64', 'lib'] : ['lib32', 'lib'];
  return (folder) =>
    [folder].flatMap((text) => expandToken(text, 'ORIGIN', origins)).flatMap((text) => expandToken(text, 'LIB', names));
}

function expandToken(text: string, token: string, values: string[]): string[] {
  const pattern = new RegExp(`\\$(?:${token}\\b|\\{${token}\\})`, 'g');
  return pattern.test(text) ? values.map((value) => text.replaceAll(pattern, () => value)) : [text];
}

/** Finds a library; one for another machine is skipped. */
function findLibrary(
  files: ImageFiles,
  name: string,
  program: Elf,
  folders: readonly string[],
): Omit<Loaded, 'by'> | undefined {
  const paths = name.includes('/') ? [name] : folders.map((folder) => `${folder}/${name}`);
  for (const path of paths) {
    const file = files.findFile(path);
    const elf = file && readElf(file.open());
    if (file !== undefined && elf?.machine === program.machine && elf.is64 === program.is64)
      return { file, asked: path, elf };
  }
  return undefined;
}
