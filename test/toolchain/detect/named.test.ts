import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { writeInitialSpec } from '../../../src/spec/write/init.ts';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { describeNamed, describeOther } from '../../../src/toolchain/detect/detect.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../../images')]);

test.each(catalog.names)(
  'a first spec for %s can be written in an empty folder, and speaks of that alone',
  async (name) => {
    await using folder = await createFixture({ 'README.md': '' });
    const text = writeInitialSpec(describeNamed(folder.path, catalog, { name, range: '*' })!);
    expect(parseSpec(text).spec.toolchain).toMatchObject({ name });
    const shown = text.replace(/^ *# assumed: .*\n/gm, '').replace(/^# (?=(?:\w+:| {2}|- ))/gm, '');
    const { spec, warnings } = parseSpec(shown);
    expect(warnings).toEqual([]);
    expect(Object.keys(spec.tasks)).toContain('test');
    expect(spec.image.entrypoint).not.toBeUndefined();
    const words = { node: /mvn|ruby|sbt/, jvm: /npm|ruby/, sbt: /npm|ruby/, ruby: /npm|mvn/, jruby: /npm|mvn/ };
    expect(text).not.toMatch(words[name as keyof typeof words]);
    const token = { node: 'NPM', jvm: 'MAVEN', sbt: 'SBT', ruby: 'BUNDLE', jruby: 'BUNDLE' };
    expect(text).toContain(`${token[name as keyof typeof token]}_TOKEN`);
  },
);

test('a toolchain that is named takes what the files say of it, and the range that is asked for', async () => {
  await using folder = await createFixture({ Gemfile: 'gem "rspec"', 'package.json': '{"scripts":{"test":"x"}}' });
  const node = describeNamed(folder.path, catalog, { name: 'node', range: '^22' })!;
  expect([node.toolchain, node.tasks.test]).toEqual(['node@^22', { run: 'npm test', needs: ['install'] }]);
  expect(node.assumptions).toContainEqual({ key: 'toolchain', because: 'it was asked for' });
  expect(describeNamed(folder.path, catalog, { name: 'cobol', range: '*' })).toBeUndefined();
});

test('an image or a folder is written as it was named, in words that fit any tool', async () => {
  await using folder = await createFixture({ 'README.md': '' });
  const text = writeInitialSpec(describeOther(folder.path, './tools'));
  expect(parseSpec(text).spec.toolchain).toMatchObject({ kind: 'folder', path: 'tools' });
  expect(text).not.toMatch(/npm|node|mvn|ruby/i);
});
