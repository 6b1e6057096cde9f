import { expect, test } from 'vitest';
import { splitWorkspace } from '../../src/plan/workspace-split.ts';

const mega = 1 << 20;
const sources = (size: number) =>
  Array.from({ length: 200 }, (_, at) => ({ path: `src/file-${at}`, size: Math.round(size / 200) }));

test('keeps git apart from what people edit, and its objects apart from the rest of it', () => {
  const paths = ['.git/HEAD', '.git/objects/pack/one.pack', '.git/modules/lib/objects/aa/bb', 'a', '.gitignore'];
  expect(splitWorkspace(paths.map((path) => ({ path, size: 1 })))).toEqual([
    ['.git/modules/lib/objects/aa/bb', '.git/objects/pack/one.pack'],
    ['.git/HEAD'],
    ['.gitignore', 'a'],
  ]);
});

test('an edit changes no more than its own group; a large workspace has many, and never too many for an image', () => {
  const before = sources(20 * mega);
  const after = before.map((file) => (file.path === 'src/file-7' ? { ...file, size: file.size + 1000 } : file));
  expect(splitWorkspace(after)).toEqual(splitWorkspace(before));
  expect(splitWorkspace(before)).toHaveLength(16);
  const git = sources(900 * mega).map(({ path, size }) => ({ path: `.git/objects/${path}`, size }));
  expect(splitWorkspace([...git, { path: '.git/HEAD', size: 1 }, ...sources(900 * mega)])).toHaveLength(41);
});
