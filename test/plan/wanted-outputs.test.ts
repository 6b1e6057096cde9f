import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { planWanted } from '../../src/plan/wanted-outputs.ts';
import { parseSpec } from '../../src/spec/read/read-spec.ts';
import { readCatalog } from '../../src/toolchain/catalog/catalog.ts';
import { readChoices } from '../../src/toolchain/detect/choices.ts';
import { readDefaults } from '../../src/toolchain/detect/defaults.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../images')]);

function defaultsOf(rootDir: string, toolchain: string) {
  const { data } = catalog.find(toolchain)!;
  return readDefaults(rootDir, data, readChoices(rootDir, data));
}

/** Those of the paths that come back from an engine that does not see the workspace, after these tasks. */
async function listWanted(toolchain: string, ran: string[], paths: string[]): Promise<string[]> {
  await using repository = await createFixture({ 'package.json': '{"scripts": {"build": "a"}}', Gemfile: '' });
  const { spec } = parseSpec(`gbuild: 1\nname: a\ntoolchain: ${toolchain}\n`);
  const defaults = defaultsOf(repository.path, toolchain);
  const tasks = Object.keys(defaults.tasks);
  const isWanted = planWanted({ spec, defaults, tasks, ran: ran.map((name) => ({ name, reports: [] })) });
  return paths.filter(isWanted);
}

const ofNode = [
  'dist/a.js',
  'packages/api/dist/a.js',
  'app.js',
  'node_modules/ms/index.js',
  'packages/api/node_modules/ms/index.js',
  '.next/cache/large',
  'coverage/index.html',
  'node_modules/.cache/a',
];

test('what a build of Node made comes back, wherever it lies, without caches and reports', async () => {
  expect(await listWanted('node', ['install', 'build'], ofNode)).toEqual([
    'dist/a.js',
    'packages/api/dist/a.js',
    'app.js',
    'node_modules/ms/index.js',
    'packages/api/node_modules/ms/index.js',
  ]);
  expect(await listWanted('node', ['lint'], ofNode)).toEqual([]);
});

test('of Ruby its gems and what was compiled for browsers come back', async () => {
  const paths = [
    'vendor/bundle/.gbuild-production',
    'vendor/bundle/ruby/3.3.0/gems/a/a.rb',
    // Where BUNDLE_PATH says lib.
    'lib/ruby/3.3.0/gems/a/a.rb',
    'public/assets/a.js',
    'tmp/a',
  ];
  expect(await listWanted('ruby', ['install', 'stage'], paths)).toEqual(paths.slice(0, 4));
});
