import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { findProject, listProjectsBelow } from '../../../src/toolchain/detect/find-project.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../../images')]);

/** Where the project is of somebody who stands at a path of a repository, relative to its top. */
async function find(files: Record<string, string>, path: string): Promise<string | undefined> {
  await using top = await createFixture({ ...files, [`${path}/here`]: '' });
  const parts = path.split('/');
  const folders = parts.map((_, at) => parts.slice(0, parts.length - at).join('/'));
  const found = findProject([...folders.map((folder) => top.getPath(folder)), top.getPath('.')], catalog);
  return found?.slice(top.getPath('.').length).replace(/^\//, '');
}

const child = '<project><parent><artifactId>all</artifactId></parent></project>';
const parent = '<project><modules><module>core</module></modules></project>';

test.each<[string, Record<string, string>, string, string | undefined]>([
  ['the folder itself', { 'api/package.json': '{}' }, 'api', 'api'],
  ['one above', { 'api/package.json': '{}' }, 'api/src/deep', 'api'],
  ['the nearest of two that are not of one build', { 'package.json': '{}', 'api/package.json': '{}' }, 'api', 'api'],
  ['the nearest of two ecosystems', { 'package.json': '{"workspaces":["*"]}', 'api/pom.xml': child }, 'api', 'api'],
  ['nothing', { 'README.md': '' }, 'api', undefined],
  ['the workspaces around a package', { 'package.json': '{"workspaces":["*"]}', 'a/package.json': '{}' }, 'a', ''],
  ["pnpm's workspaces", { 'package.json': '{}', 'pnpm-workspace.yaml': '', 'a/package.json': '{}' }, 'a/src', ''],
  [
    'a package with a lock of its own inside of workspaces',
    { 'package.json': '{"workspaces":["*"]}', 'a/package.json': '{}', 'a/package-lock.json': '{}' },
    'a',
    'a',
  ],
  ["the modules' parent below the top", { 'all/pom.xml': parent, 'all/core/pom.xml': child }, 'all/core', 'all'],
  ['the settings of Gradle', { 'settings.gradle': '', 'app/build.gradle': '' }, 'app', ''],
  ["an included build of Gradle's", { 'settings.gradle': '', 'app/build.gradle': '', 'app/gradlew': '' }, 'app', 'app'],
  ["sbt's build around a project", { 'project/build.properties': 'sbt.version=1.11.7', 'a/build.sbt': '' }, 'a', ''],
  ['the Gemfile around a gem by path', { Gemfile: '', 'gems/a/a.gemspec': '' }, 'gems/a', ''],
  [
    'a gem with a Gemfile of its own',
    { Gemfile: '', 'gems/a/a.gemspec': '', 'gems/a/Gemfile': '' },
    'gems/a',
    'gems/a',
  ],
])('the project is %s', async (_, files, path, expected) => {
  expect(await find(files, path)).toBe(expected);
});

test('projects below are the topmost ones, without what is installed, built, hidden, linked or too deep', async () => {
  await using top = await createFixture({
    'b/gbuild.yml': '',
    'b/inner/package.json': '{}',
    'a/service/pom.xml': '',
    'a/b/c/d/pom.xml': '',
    '.git/package.json': '{}',
    'node_modules/x/package.json': '{}',
    'target/pom.xml': '',
    'docs/README.md': '',
  });
  symlinkSync('b', top.getPath('link'));
  expect(listProjectsBelow(top.getPath('.'), catalog)).toEqual(['a/service', 'b']);
});
