import picomatch from 'picomatch';

/** Returns a test whether a path of the workspace matches the globs, or is in a folder that matches them. */
export function matchGlobs(globs: readonly string[]): (path: string) => boolean {
  if (globs.length === 0) return () => false;
  return withFolders(matcherOf(globs.map((glob) => glob.replace(/^\.\//, ''))));
}

/** Returns a test whether a path is a folder of one of these names at any depth, or in one. */
export function matchFolders(names: readonly string[]): (path: string) => boolean {
  return matchGlobs(names.map((name) => `**/${name}`));
}

export function matcherOf(globs: readonly string[]): (path: string) => boolean {
  return picomatch([...globs], { dot: true });
}

/** Extends a test to everything in a matching folder. Each folder is tested once for all its paths. */
export function withFolders(test: (path: string) => boolean): (path: string) => boolean {
  const known = new Map<string, boolean>([['', false]]);
  const isIn = (folder: string): boolean => {
    const before = known.get(folder);
    if (before !== undefined) return before;
    const found = isIn(above(folder)) || test(folder);
    known.set(folder, found);
    return found;
  };
  return (path) => isIn(above(path)) || test(path);
}

function above(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
