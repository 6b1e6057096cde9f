import { lstatSync, mkdirSync } from 'node:fs';
import { folderOf } from './tree.ts';

/** Folders below a root that are real on their whole path, without links. */
export class RealFolders {
  readonly #rootDir: string;
  readonly #known = new Map<string, boolean>([['', true]]);

  constructor(rootDir: string) {
    this.#rootDir = rootDir;
  }

  has(folder: string): boolean {
    const before = this.#known.get(folder);
    if (before !== undefined) return before;
    const found = this.has(folderOf(folder)) && this.#isFolder(folder);
    this.#known.set(folder, found);
    return found;
  }

  /** Makes the folder and those above; false where something else is in the way. */
  ensure(folder: string, mode = 0o755): boolean {
    if (this.has(folder)) return true;
    if (!this.ensure(folderOf(folder))) return false;
    try {
      mkdirSync(`${this.#rootDir}/${folder}`, { mode });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
      return false;
    }
    this.#known.set(folder, true);
    return true;
  }

  #isFolder(folder: string): boolean {
    try {
      return lstatSync(`${this.#rootDir}/${folder}`, { throwIfNoEntry: false })?.isDirectory() === true;
    } catch {
      return false;
    }
  }
}
