import { describe, expect, it } from 'vitest';
import { parseDockerignore, readDockerignore } from '../../src/workspace/dockerignore.ts';
import { makeFolder } from '../support/images/tree.ts';

/** Each answer was had from moby/patternmatcher 0.6.0, the library in Docker, asked as BuildKit asks it. */
const cases: [text: string, ignored: string[], kept: string[]][] = [
  ['a', ['a', 'a/b', 'a/b/c'], ['b', 'b/a', 'ab']],
  ['/a', ['a', 'a/b'], ['b/a']],
  ['./a/', ['a', 'a/b'], ['b/a']],
  ['*.md', ['x.md'], ['docs/x.md']],
  ['**/*.md', ['x.md', 'docs/x.md'], ['x.mdx']],
  ['**/node_modules', ['node_modules', 'node_modules/x', 'src/node_modules/x'], ['node_modulesx']],
  ['a/*', ['a/b', 'a/b/c'], ['a']],
  ['a/**', ['a/b', 'a/b/c'], ['a']],
  ['*/b', ['a/b', 'a/b/c'], ['b', 'a/c/b']],
  ['*\n!a/b', ['a', 'b', 'a/c'], ['a/b', 'a/b/c']],
  ['a/b\n!a', ['a/b'], ['a', 'a/c']],
  ['**\n!**/*.md\nREADME.md', ['x.js', 'README.md'], ['docs/README.md']],
  ['# a\n\n  b  \n! b/c ', ['b'], ['a', '# a', 'b/c']],
  ['[ab]', ['a', 'b'], ['c', '[ab]']],
  ['[^a]', ['b', 'c'], ['a']],
  ['[a-c]x', ['ax', 'bx'], ['dx']],
  ['?', ['a', 'é'], ['ab']],
  ['a\\*', ['a*'], ['ab']],
  ['c^', ['c^'], ['c']],
  ['foo/**/foo', ['foo/foo', 'foo/bar/foo'], ['foo', 'foo/bar']],
  ['a/../b', ['b'], ['a']],
  ['.', [], ['a']],
  ['', [], ['a']],
  ['\ufeffa', ['a'], []],
  ['a\r\nb', ['a', 'b'], ['c']],
];

describe('.dockerignore', () => {
  it.each(cases)('%j is read as Docker reads it', (text, ignored, kept) => {
    const isIgnored = parseDockerignore(text);
    expect(ignored.filter((path) => !isIgnored(path))).toEqual([]);
    expect(kept.filter((path) => isIgnored(path))).toEqual([]);
  });

  it('ignores nothing where there is none', async () => {
    await using folder = await makeFolder();
    expect(readDockerignore(folder.path)('a')).toBe(false);
  });

  it.each(['!', '['])('refuses the pattern %j, naming it', (text) => {
    expect(() => parseDockerignore(`a\n${text}`)).toThrowError(
      expect.objectContaining({ code: 'spec-invalid', message: expect.stringContaining(`"${text}"`) }),
    );
  });
});
