import { posix } from 'node:path';
import { type Elf, readElf } from './elf.ts';
import type { FoundFile, ImageFiles } from './image-files.ts';
import { isMusl, listLibraryFolders } from './library-folders.ts';

/** A library that the image does not have. */
export interface MissingLibrary {
  name: string;
  /** The program or library that needs it: its path in the image. */
  neededBy: string;
}

/** A file of machine code and those that it was loaded for, itself last. */
interface Loaded {
  file: FoundFile;
  /** By the path that it was found at, which may be a link. */
  asked: string;
  elf: Elf;
  by: Loaded[];
}

/** Names that musl's loader takes for itself. */
const partsOfMusl = /^lib(?:c|pthread|rt|m|dl|util|xnet)\./;

/**
 * The libraries that a program needs and its loader does not find, however deep: by DT_RPATH and DT_RUNPATH, LD_LIBRARY_PATH, the
 * loader's settings and its usual folders (ld.so(8)). A folder that depends on more than the image counts as having all.
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

/** Lists RPATH and RUNPATH: with DT_RUNPATH no DT_RPATH counts; musl takes both, and those of all that load the file. */
function listOwnFolders(loaded: Loaded, isMusls: boolean): string[] {
  const chain = [loaded, ...loaded.by.toReversed()];
  if (isMusls) return chain.flatMap((each) => [...each.elf.rpath, ...each.elf.runpath].flatMap(expandFor(each)));
  if (loaded.elf.runpath.length > 0) return loaded.elf.runpath.flatMap(expandFor(loaded));
  return chain.flatMap((each) => (each.elf.runpath.length > 0 ? [] : each.elf.rpath.flatMap(expandFor(each))));
}

/** `$ORIGIN` is the file's own folder; `$LIB` is a name that the loader was built with. */
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

/** One for another machine is passed over. */
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
