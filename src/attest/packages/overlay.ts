/** Paths that one layer hides in those below (OCI layer.md, "Whiteouts"). */
export interface Hidden {
  /** Hidden paths, with everything below them. */
  paths: Set<string>;
  /** Folders with hidden contents that stay themselves. */
  folders: Set<string>;
}

/** Records what a path of a layer hides; false for a path that is no whiteout. */
export function noteWhiteout(path: string, { paths, folders }: Hidden): boolean {
  const slash = path.lastIndexOf('/');
  const [folder, name] = [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)];
  if (!name.startsWith('.wh.')) return false;
  if (name === '.wh..wh..opq') folders.add(folder);
  else paths.add(path.slice(0, slash + 1) + name.slice('.wh.'.length));
  return true;
}

/** Marks that layers set on some of an image's paths; upper layers replace lower ones. */
export class Overlay<Mark> {
  readonly #marks = new Map<string, Mark>();
  /** Marked paths and the folders above them. */
  readonly #known = new Set<string>();

  get(path: string): Mark | undefined {
    return this.#marks.get(path);
  }

  /** Returns the marks in the order of the layers. */
  entries(): Iterable<[string, Mark]> {
    return this.#marks;
  }

  /** Whether another entry at this path would hide a mark. */
  isInUse(path: string): boolean {
    return this.#known.has(path);
  }

  /** Applies a layer: removes the marks it hides, adds its own. */
  apply(hidden: Hidden, marks: Map<string, Mark>): void {
    for (const path of this.#marks.keys()) {
      if (isHidden(path, hidden)) this.#marks.delete(path);
    }
    for (const [path, mark] of marks) {
      this.#marks.set(path, mark);
      for (const each of upwards(path)) this.#known.add(each);
    }
  }
}

function isHidden(path: string, { paths, folders }: Hidden): boolean {
  if (paths.size === 0 && folders.size === 0) return false;
  for (const each of upwards(path)) {
    if (paths.has(each) || (each !== path && folders.has(each))) return true;
  }
  return folders.has('');
}

function* upwards(path: string): Generator<string> {
  for (let at = path.length; at > 0; at = path.lastIndexOf('/', at - 1)) yield path.slice(0, at);
}
