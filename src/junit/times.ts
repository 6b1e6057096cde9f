import type { TestCase } from './read-junit.ts';

/**
 * Returns the seconds of each of these files (paths in the workspace), from test cases of reports. A report names a
 * file by its path, absolute or relative to some folder, or by a class (`com.acme.ShopTest`, `tests.test_shop.Total`).
 * A name that fits several files is ignored.
 */
export function timesOf(files: readonly string[], cases: Iterable<TestCase>): Map<string, number> {
  const ends = indexEnds(files);
  const found = new Map<string, string | undefined>();
  const seconds = new Map<string, number>();
  for (const { from, seconds: time } of cases) {
    for (const name of from) {
      if (!found.has(name)) found.set(name, findFile(name, ends));
      const file = found.get(name);
      if (file === undefined) continue;
      seconds.set(file, (seconds.get(file) ?? 0) + time);
      break;
    }
  }
  return seconds;
}

/** Indexes every end of every path, with and without its extension; null where several files have it. */
function indexEnds(files: readonly string[]): Map<string, string | null> {
  const ends = new Map<string, string | null>();
  const add = (end: string, file: string) => ends.set(end, ends.has(end) && ends.get(end) !== file ? null : file);
  for (const file of files) {
    const parts = file.split('/');
    for (let at = 0; at < parts.length; at += 1) {
      const end = parts.slice(at).join('/');
      add(end, file);
      const stem = end.replace(/(?<=[^/])\.[^./]*$/, '');
      if (stem !== end) add(stem, file);
    }
  }
  return ends;
}

function findFile(name: string, ends: Map<string, string | null>): string | undefined {
  const parts = name
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..');
  // The first folders of an absolute path may belong to another machine, and are dropped.
  for (let at = 0; at < parts.length; at += 1) {
    const file = ends.get(parts.slice(at).join('/'));
    if (file) return file;
  }
  return parts.length === 1 ? findClass(name, ends) : undefined;
}

/** Finds a class's file: it has the class's name or, in languages with several classes in one file, the module's. */
function findClass(name: string, ends: Map<string, string | null>): string | undefined {
  const words = name.replace(/\$.*$/, '').split('.');
  for (let count = words.length; count > 0; count -= 1) {
    const file = ends.get(words.slice(0, count).join('/'));
    if (file) return file;
  }
  return undefined;
}
