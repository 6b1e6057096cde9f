import { describe, expect, it } from 'vitest';
import type { Entry } from '../../src/oci/tar/entry.ts';
import { splitEntries } from '../../src/plan/split.ts';

const mebibyte = 1024 * 1024;
const file = (path: string, size: number): Entry => ({
  path,
  type: 'file',
  executable: false,
  content: { hostFile: `/nowhere/${path}`, size },
});
const pathsOf = (groups: Entry[][]) => groups.map((group) => group.map(({ path }) => path));

describe('a group of files', () => {
  it('stays one layer while it is small, and is none when it is empty', () => {
    expect(pathsOf(splitEntries([file('a.js', 1), file('b.png', mebibyte)]))).toEqual([['a.js', 'b.png']]);
    expect(splitEntries([])).toEqual([]);
  });

  it('has its code above its assets when it is large; links and folders go with the code', () => {
    const entries: Entry[] = [
      file('assets/film.mp4', 60 * mebibyte),
      { path: 'assets', type: 'directory' },
      { path: 'link', type: 'symlink', target: 'x' },
      file('src/app.js', 5 * mebibyte),
    ];
    expect(pathsOf(splitEntries(entries))).toEqual([['assets/film.mp4'], ['assets', 'link', 'src/app.js']]);
  });

  it('is cut by paths and sizes alone: each file once, wherever it stands in the list and whatever it holds', () => {
    const entries = Array.from({ length: 40 }, (_, i) => file(`assets/${i}.bin`, 10 * mebibyte));
    const cut = pathsOf(splitEntries(entries)).map((group) => group.sort());
    expect(cut.length).toBeGreaterThan(2);
    expect(cut.flat().sort()).toEqual(entries.map(({ path }) => path).sort());
    expect(pathsOf(splitEntries(entries.toReversed())).map((group) => group.sort())).toEqual(cut);
  });

  it('keeps its files where they are when one is added', () => {
    const entries = Array.from({ length: 40 }, (_, i) => file(`assets/${i}.bin`, 10 * mebibyte));
    const before = pathsOf(splitEntries(entries));
    const after = pathsOf(splitEntries([...entries, file('assets/new.bin', mebibyte)]));
    const grown = after.filter((group, index) => group.join() !== before[index]?.join());
    expect([after.length, grown.length]).toEqual([before.length, 1]);
  });
});
