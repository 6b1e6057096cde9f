import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { collectRules } from '../../src/pipeline/collect-layers.ts';
import { layersOf } from '../../src/plan/image-plan.ts';
import { parseSpec } from '../../src/spec/read.ts';
import { readCatalog } from '../../src/toolchain/catalog.ts';
import { readDefaults } from '../../src/toolchain/defaults.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../images')]);
const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

function writeTree(files: Record<string, string>): string {
  const rootDir = mkdtempSync(join(tmpdir(), 'gbuild-layers-'));
  dirs.push(rootDir);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(rootDir, path)), { recursive: true });
    writeFileSync(join(rootDir, path), text);
  }
  return rootDir;
}

/** Places in the image of the files that go in, by a toolchain's rules or the spec's own. */
async function listPacked(rootDir: string, toolchain: string, layers = 'auto'): Promise<string[]> {
  const { spec } = parseSpec(`gbuild: 1\nname: a\ntoolchain: ${toolchain}\nimage: { layers: ${layers} }\n`);
  const defaults = readDefaults(rootDir, catalog.find(toolchain)!.data);
  const collected = await collectRules(rootDir, layersOf({ spec, defaults }), {});
  return collected.flatMap(({ entries }) => entries.filter(({ type }) => type === 'file').map(({ path }) => path));
}

describe('files that may hold credentials', () => {
  const token = {
    '.npmrc': 'token',
    '.yarnrc.yml': 'token',
    '.env': 'token',
    '.env.production': 'token',
    '.netrc': 'token',
    '.bundle/config': 'token',
    'config/.npmrc': 'token',
  };
  /** What each toolchain packs, in every place that its rules take files from. */
  const trees: Record<string, Record<string, string>> = {
    node: {
      'package.json': '{"scripts": {"build": "make dist"}}',
      'pnpm-lock.yaml': '',
      'node_modules/.gbuild-stage/.npmrc': 'token',
      'node_modules/.gbuild-stage/pnpm-lock.yaml': '',
      'node_modules/.gbuild-stage/node_modules/ms/index.js': '',
      'node_modules/.gbuild-stage/node_modules/ms/.npmrc': 'token',
      'dist/.env': 'token',
      ...token,
    },
    ruby: { Gemfile: '', 'vendor/bundle/gbuild/ruby/3.3.0/.env': 'token', 'public/assets/.env': 'token', ...token },
    jruby: { Gemfile: '', 'vendor/bundle/gbuild/ruby/3.3.0/.env': 'token', 'public/assets/.env': 'token', ...token },
    jvm: { 'pom.xml': '', 'target/gbuild/start/a.jar': '', 'target/gbuild/classes/.env': 'token', ...token },
    sbt: { 'build.sbt': '', 'target/gbuild/start/a.jar': '', 'target/gbuild/classes/.env': 'token', ...token },
  };

  test.each(catalog.names)('stay out of every layer of %s', async (toolchain) => {
    expect(Object.keys(trees)).toContain(toolchain);
    const packed = await listPacked(writeTree(trees[toolchain]!), toolchain);
    expect(packed).not.toEqual([]);
    expect(packed.filter((path) => /\.(npmrc|yarnrc|env|netrc)|bundle\/config/.test(path))).toEqual([]);
  });

  test("go in where gbuild.yml's own layers name the very file", async () => {
    const rootDir = writeTree({ ...token, 'server.js': '' });
    const layers =
      '[{name: all, from: [.]}, {name: settings, from: [./.npmrc]}, {name: one, from: [.], include: [config/.npmrc]}]';
    expect(await listPacked(rootDir, 'node', layers)).toEqual(['app/server.js', 'app/.npmrc', 'app/config/.npmrc']);
  });
});
