import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readProductionPaths } from '../../../src/workspace/node/npm.ts';
import { makeFolder } from '../../support/images/tree.ts';

/** In the shape npm 11 writes: a scope, a nested copy, a workspace, an optional package that development needs too. */
const lock = {
  name: 'app',
  lockfileVersion: 3,
  packages: {
    '': { name: 'app', workspaces: ['packages/*'], dependencies: { express: '^5' }, devDependencies: { vitest: '^5' } },
    'node_modules/@acme/lib': { version: '1.0.0' },
    'node_modules/@types/node': { version: '24.0.0', dev: true },
    'node_modules/express': { version: '5.0.0', bin: { express: 'bin.js' } },
    'node_modules/express/node_modules/debug': { version: '4.0.0' },
    'node_modules/fsevents': { version: '2.0.0', optional: true, devOptional: true },
    'node_modules/vitest': { version: '5.0.0', dev: true, bin: { vitest: 'vitest.mjs' } },
    'node_modules/vitest/node_modules/debug': { version: '3.0.0', dev: true },
    'node_modules/web': { resolved: 'packages/web', link: true },
    'packages/web': { version: '1.0.0' },
    'packages/web/node_modules/ms': { version: '2.0.0' },
    'packages/web/node_modules/tsx': { version: '4.0.0', dev: true },
  },
};

async function makeProject(file = 'package-lock.json', text = JSON.stringify(lock)) {
  const folder = await makeFolder();
  mkdirSync(dirname(folder.getPath(file)), { recursive: true });
  writeFileSync(folder.getPath(file), text);
  return folder;
}

describe('readProductionPaths', () => {
  it('keeps what production needs and drops what only development does', async () => {
    await using project = await makeProject();
    const keep = readProductionPaths(project.path)!;
    const paths = [
      'src/server.js',
      'node_modules',
      'node_modules/@acme',
      'node_modules/@acme/lib/index.js',
      'node_modules/express/node_modules/debug/index.js',
      'node_modules/express/test/fixture/node_modules/x.js',
      'node_modules/fsevents/a.node',
      'node_modules/web',
      'packages/web/src/index.js',
      'packages/web/node_modules/ms/index.js',
      'test/fixture/node_modules/own.js',
      'node_modules/.prisma/client/index.js',
      'node_modules/@generated',
      'node_modules/@generated/client/index.js',
    ];
    expect(paths.filter((path) => !keep(path))).toEqual([]);
    const dropped = [
      'node_modules/@types',
      'node_modules/@types/node/index.d.ts',
      'node_modules/vitest',
      'node_modules/vitest/vitest.mjs',
      'node_modules/vitest/node_modules/debug/index.js',
      'node_modules/.package-lock.json',
      'packages/web/node_modules/tsx/cli.mjs',
    ];
    expect(dropped.filter((path) => keep(path))).toEqual([]);
  });

  it('keeps a command with the package it belongs to', async () => {
    await using project = await makeProject();
    mkdirSync(project.getPath('node_modules/.bin'), { recursive: true });
    symlinkSync('../express/bin.js', project.getPath('node_modules/.bin/express'));
    symlinkSync('../vitest/vitest.mjs', project.getPath('node_modules/.bin/vitest'));
    const keep = readProductionPaths(project.path)!;
    expect(
      ['node_modules/.bin', 'node_modules/.bin/express', 'node_modules/.bin/vitest'].map((path) => keep(path)),
    ).toEqual([true, true, false]);
  });

  it('reads the hidden lock of an installed tree where the project has none', async () => {
    await using project = await makeProject('node_modules/.package-lock.json');
    expect(readProductionPaths(project.path)?.('node_modules/vitest')).toBe(false);
  });

  it('is undefined without a lock that knows packages', async () => {
    await using folder = await makeFolder();
    await using old = await makeProject('package-lock.json', '{"lockfileVersion": 1, "dependencies": {}}');
    expect([readProductionPaths(folder.path), readProductionPaths(old.path)]).toEqual([undefined, undefined]);
  });

  it('says which lock cannot be read', async () => {
    await using project = await makeProject('package-lock.json', '{"packages":');
    expect(() => readProductionPaths(project.path)).toThrowError(
      expect.objectContaining({ code: 'workspace-unreadable', facts: { file: project.getPath('package-lock.json') } }),
    );
  });
});
