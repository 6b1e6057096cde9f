import { createFixture, type FileTree } from 'fs-fixture';
import { expect, test } from 'vitest';
import { listNodeMembers } from '../../../src/workspace/node/node-members.ts';
import { findProductionModules } from '../../../src/workspace/node/node-modules.ts';

const manifest = (keys: object) => JSON.stringify(keys);
const link =
  (target: string) =>
  ({ symlink }: { symlink: (target: string) => unknown }) =>
    symlink(target);

/** Those of the paths that are left out. */
async function listLeft(files: object, paths: string[]): Promise<string[]> {
  await using fixture = await createFixture(files as FileTree);
  const keep = findProductionModules(
    fixture.path,
    listNodeMembers(fixture.path, () => true),
  );
  return paths.filter((path) => !keep(path));
}

test('a flat installation loses what only devDependencies reach', async () => {
  const left = await listLeft(
    {
      'package.json': manifest({ dependencies: { web: '1' }, devDependencies: { tester: '1', shared: '1' } }),
      node_modules: {
        web: { 'package.json': manifest({ dependencies: { shared: '1' }, peerDependencies: { peer: '1' } }) },
        shared: { 'package.json': manifest({}), node_modules: { deep: { 'package.json': '{}' } } },
        peer: { 'package.json': '{}' },
        tester: {
          'package.json': manifest({ dependencies: { shared: '1', '@only/tests': '1' } }),
          'cli.js': '',
          node_modules: { shared: { 'package.json': '{}' } },
        },
        '@only/tests': { 'package.json': '{}' },
        '.prisma/client': { 'index.js': '' },
        generated: { 'index.js': '' },
        '.bin': { tester: link('../tester/cli.js'), web: link('../web/package.json') },
      },
    },
    [
      'node_modules',
      'node_modules/web',
      'node_modules/shared',
      'node_modules/shared/node_modules/deep',
      'node_modules/peer',
      'node_modules/.prisma',
      'node_modules/generated',
      'node_modules/.bin',
      'node_modules/.bin/web',
      'node_modules/tester',
      'node_modules/@only',
      'node_modules/@only/tests',
      'node_modules/.bin/tester',
    ],
  );
  expect(left).toEqual([
    'node_modules/tester',
    'node_modules/@only',
    'node_modules/@only/tests',
    'node_modules/.bin/tester',
  ]);
});

test("pnpm's links and folders go with the packages that they hold, of the root and of each workspace", async () => {
  const store = (name: string, siblings: object = {}, keys: object = {}) => ({
    [`${name}@1/node_modules`]: { [name]: { 'package.json': manifest(keys), 'cli.js': '' }, ...siblings },
  });
  const shim = (target: string) => `#!/bin/sh\nbasedir=$(dirname "$0")\nexec node  "$basedir/${target}" "$@"\n`;
  const left = await listLeft(
    {
      'package.json': manifest({ devDependencies: { tester: '1' } }),
      'pnpm-workspace.yaml': "packages:\n  - 'apps/*'\n",
      node_modules: {
        tester: link('.pnpm/tester@1/node_modules/tester'),
        '.bin': { tester: shim('../tester/cli.js') },
        '.pnpm': {
          ...store('web', { shared: link('../../shared@1/node_modules/shared') }),
          ...store('shared'),
          ...store('tester', { shared: link('../../shared@1/node_modules/shared') }),
          node_modules: {
            shared: link('../shared@1/node_modules/shared'),
            tester: link('../tester@1/node_modules/tester'),
          },
        },
      },
      'apps/api': {
        'package.json': manifest({ dependencies: { web: '1', text: 'workspace:*' } }),
        node_modules: {
          web: link('../../../node_modules/.pnpm/web@1/node_modules/web'),
          text: link('../../../libs/text'),
          '.bin': { web: shim('../web/cli.js') },
        },
      },
      'libs/text': { 'package.json': manifest({ dependencies: {} }) },
    },
    [
      'node_modules/.pnpm/web@1',
      'node_modules/.pnpm/web@1/node_modules/shared',
      'node_modules/.pnpm/shared@1',
      'node_modules/.pnpm/node_modules/shared',
      'apps/api/node_modules/web',
      'apps/api/node_modules/text',
      'apps/api/node_modules/.bin/web',
      'node_modules/tester',
      'node_modules/.bin/tester',
      'node_modules/.pnpm/tester@1',
      'node_modules/.pnpm/node_modules/tester',
    ],
  );
  expect(left).toEqual([
    'node_modules/tester',
    'node_modules/.bin/tester',
    'node_modules/.pnpm/tester@1',
    'node_modules/.pnpm/node_modules/tester',
  ]);
});

test.each([
  ['package.json', { 'package.json': manifest({ workspaces: ['libs/*', '!libs/old'] }) }],
  ['yarn', { 'package.json': manifest({ workspaces: { packages: ['./libs/*/', '!libs/old'] } }) }],
  ['pnpm', { 'package.json': '{}', 'pnpm-workspace.yaml': 'packages: # ours\n  - libs/* # all\n  - "!libs/old"\n' }],
])('members are those that %s names, those with packages of their own, and those that are linked', async (_, files) => {
  await using fixture = await createFixture({
    ...files,
    'libs/text/package.json': '{}',
    'libs/old/package.json': '{}',
    'tools/own/package.json': '{}',
    'tools/own/node_modules/a/package.json': '{}',
    'vendor/linked/package.json': '{}',
    'test/fixture/package.json': '{}',
    'dist/package.json': '{}',
    'dist/node_modules/a/package.json': '{}',
    'node_modules/@vendor/linked': link('../../vendor/linked'),
  } as FileTree);
  expect(listNodeMembers(fixture.path, (folder) => folder !== 'dist')).toEqual([
    '',
    'libs/text',
    'tools/own',
    'vendor/linked',
  ]);
});
