import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseConfig } from '../../src/spec/config/config.ts';
import { parseSpec } from '../../src/spec/read/read-spec.ts';
import { listBlocks, listCommands, listPages, readPage } from '../support/cli/doc-pages.ts';

const blocks = listPages().flatMap(listBlocks);
const placeOf = ({ page, line }: { page: string; line: number }) => `${page}:${line}`;

test('every block is of a kind that some test looks at', () => {
  // spec.md has kinds of its own, looked at by test/spec/docs.test.ts; toolchains.md shows parts of Dockerfiles.
  const known = ['console', 'text', 'yaml', 'yaml here', 'yaml ci', 'yaml config'];
  const unknown = blocks
    .filter(({ page }) => !['docs/spec.md', 'docs/toolchains.md'].includes(page))
    .filter(({ language, kind }) => !known.includes([language, kind].filter(Boolean).join(' ')));
  expect(unknown.map(placeOf)).toEqual([]);
});

test('blocks that are not run say why, and are few', () => {
  expect(blocks.filter(({ notRun }) => notRun).map(({ page, notRun }) => `${page}: ${notRun}`)).toEqual([
    'README.md: it installs into the machine; the package test does the same in an empty folder',
    'README.md: it sets up the machine it runs on and has a test of its own',
    'docs/install.md: it sets up the machine it runs on and has a test of its own',
  ]);
});

test('text that stands for itself is in pages of which a test knows every word', () => {
  const pages = new Set(blocks.filter(({ language }) => language === 'text').map(({ page }) => page));
  expect([...pages]).toEqual(['docs/commands.md', 'docs/spec.md']);
});

test('every gbuild.yml is one without warning', () => {
  for (const { kind, text } of blocks.filter(({ language }) => language === 'yaml')) {
    if (kind === undefined || kind === 'here')
      expect({ text, warnings: parseSpec(text).warnings }).toEqual({ text, warnings: [] });
  }
});

test('every config.yml is one', () => {
  const configs = blocks.filter(({ kind }) => kind === 'config');
  for (const { text } of configs) expect(parseConfig(text, 'config.yml', '/home/ada')).toMatchObject({ config: 1 });
  expect(configs.map(({ page }) => page)).toEqual(['docs/engines.md', 'docs/registries.md']);
});

test('the toolchain that the pages show is one: its test makes and uses it', () => {
  const shown = blocks.filter(({ kind }) => kind === 'toolchain').map(({ page, language }) => [page, language]);
  expect(shown).toEqual([
    ['docs/toolchains.md', 'yaml'],
    ['docs/toolchains.md', 'dockerfile'],
  ]);
});

test("every CI's file is YAML that calls gbuild", () => {
  const recipes = blocks.filter(({ kind }) => kind === 'ci');
  expect(recipes.map(({ text }) => [typeof parse(text), /\bgbuild test\b/.test(text)])).toEqual([
    ['object', true],
    ['object', true],
  ]);
});

test('the gbuild.yml of the README says in ten lines what that of the example says', () => {
  const shown = blocks.find(({ page, language }) => page === 'README.md' && language === 'yaml')?.text ?? '';
  expect(parse(shown)).toEqual(parse(readPage('examples/node-hello/gbuild.yml')));
  expect(shown.trimEnd().split('\n').length).toBeLessThanOrEqual(10);
});

test('every console block starts with a command', () => {
  const wrong = blocks.filter((block) => block.language === 'console' && !block.text.startsWith('$ '));
  expect(wrong.map(placeOf)).toEqual([]);
  expect(blocks.flatMap(listCommands).length).toBeGreaterThan(50);
});
