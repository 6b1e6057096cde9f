import { mkdirSync, symlinkSync } from 'node:fs';
import { createFixture } from 'fs-fixture';
import { expect, it } from 'vitest';
import { findCommandPackage, findProductionScript } from '../../../src/workspace/node/node-command.ts';

const json = JSON.stringify;
const dev = json({ dependencies: { express: '5' }, devDependencies: { '@nestjs/cli': '11', tsx: '4', express: '5' } });

it('finds the package of a command by the link that an installation made', async () => {
  await using fixture = await createFixture({ 'package.json': dev });
  mkdirSync(fixture.getPath('node_modules/.bin'), { recursive: true });
  symlinkSync('../@nestjs/cli/bin/nest.js', fixture.getPath('node_modules/.bin/nest'));
  symlinkSync('../.pnpm/tsx@4/node_modules/tsx/dist/cli.js', fixture.getPath('node_modules/.bin/tsx'));
  symlinkSync('../express/bin/express.js', fixture.getPath('node_modules/.bin/express'));
  expect(findCommandPackage(fixture.path, 'nest')).toEqual({ name: '@nestjs/cli', isDevelopment: true });
  expect(findCommandPackage(fixture.path, 'tsx')).toEqual({ name: 'tsx', isDevelopment: true });
  expect(findCommandPackage(fixture.path, 'express')).toEqual({ name: 'express', isDevelopment: false });
});

it("finds it before an installation by npm's lock, or by the package's own name", async () => {
  const packages = {
    'node_modules/@nestjs/cli': { bin: { nest: 'bin/nest.js' }, dev: true },
    'node_modules/next': { bin: { next: 'dist/bin/next' } },
    'node_modules/a/node_modules/b': { bin: { b: 'b' }, dev: true },
  };
  await using fixture = await createFixture({ 'package.json': dev, 'package-lock.json': json({ packages }) });
  expect(findCommandPackage(fixture.path, 'nest')).toEqual({ name: '@nestjs/cli', isDevelopment: true });
  expect(findCommandPackage(fixture.path, 'next')).toEqual({ name: 'next', isDevelopment: false });
  expect(findCommandPackage(fixture.path, 'tsx')).toEqual({ name: 'tsx', isDevelopment: true });
  expect(findCommandPackage(fixture.path, 'express')).toEqual({ name: 'express', isDevelopment: false });
  expect(findCommandPackage(fixture.path, 'b')).toBeUndefined();
});

it('says nothing where nothing is known, whatever the files hold', async () => {
  await using fixture = await createFixture({ 'package.json': 'no json', 'package-lock.json': '[]' });
  expect(findCommandPackage(fixture.path, 'nest')).toBeUndefined();
  expect(findCommandPackage(fixture.path, 'toString')).toBeUndefined();
});

it('knows the script that starts what was built', async () => {
  const scripts = { start: 'nest start', 'start:dev': 'nest start --watch', 'start:prod': 'node dist/main' };
  await using fixture = await createFixture({
    'package.json': json({ scripts }),
    'odd/package.json': json({ scripts: { 'start:prod': 7 } }),
  });
  expect(findProductionScript(fixture.path)).toEqual({ name: 'start:prod', line: 'node dist/main' });
  expect(findProductionScript(fixture.getPath('odd'))).toBeUndefined();
});
