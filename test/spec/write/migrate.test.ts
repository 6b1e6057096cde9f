import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { type Document, isMap } from 'yaml';
import { currentMajor, type MigrationTable, migrations } from '../../../src/spec/read/migrations.ts';
import { parseSpec, readSpec } from '../../../src/spec/read/read-spec.ts';
import { migrateSpec, writeSpec } from '../../../src/spec/write/migrate.ts';
import { corpus } from '../corpus.ts';
import { errorOf, mistakesIn } from '../mistakes-of.ts';

function rename(document: Document, from: string, to: string): void {
  if (!isMap(document.contents)) return;
  for (const { key } of document.contents.items) {
    if (typeof key === 'object' && key !== null && 'value' in key && key.value === from) key.value = to;
  }
}

const table: MigrationTable = {
  current: 1,
  migrations: [
    { from: -1, summary: '"project" is now "title"', apply: (document) => rename(document, 'project', 'title') },
    { from: 0, summary: '"title" is now "name"', apply: (document) => rename(document, 'title', 'name') },
  ],
};

const old = `# Our build
gbuild: -1 # since 2020

# What we ship
project: hello # a name
toolchain: "node@^22"
tasks:
  # fast
  test: npm test
  lint: {run: npm run lint, timeout: 10m}
`;

test('a file of an older major is rewritten step by step, comments, quotes and order kept', () => {
  expect(migrateSpec(old, 'gbuild.yml', table)).toMatchInlineSnapshot(`
    {
      "changed": true,
      "from": -1,
      "steps": [
        ""project" is now "title"",
        ""title" is now "name"",
      ],
      "text": "# Our build
    gbuild: 1 # since 2020

    # What we ship
    name: hello # a name
    toolchain: "node@^22"
    tasks:
      # fast
      test: npm test
      lint: {run: npm run lint, timeout: 10m}
    ",
      "to": 1,
    }
  `);
  expect(parseSpec(migrateSpec(old, 'gbuild.yml', table).text).spec.name).toBe('hello');
});

test('line ends stay as they are', () => {
  const { text } = migrateSpec(old.replaceAll('\n', '\r\n'), 'gbuild.yml', table);
  expect(text).toBe(migrateSpec(old, 'gbuild.yml', table).text.replaceAll('\n', '\r\n'));
});

test('a file of an older major is read as it is, with a warning that says what to type', () => {
  const { spec, major, warnings } = parseSpec(old, 'gbuild.yml', table);
  expect({ name: spec.name, gbuild: spec.gbuild, major, warnings }).toMatchInlineSnapshot(`
    {
      "gbuild": 1,
      "major": -1,
      "name": "hello",
      "warnings": [
        "gbuild.yml: written for major -1 of this format; gbuild migrate rewrites it to 1",
      ],
    }
  `);
});

test('mistakes in an older file have the places of that file', () => {
  const error = errorOf(() => parseSpec(old.replace('10m', '10'), 'gbuild.yml', table));
  expect(mistakesIn(error).map(({ line, column, key }) => ({ line, column, key }))).toEqual([
    { line: 10, column: 38, key: 'tasks.lint.timeout' },
  ]);
});

test('a current file is left as it is, to the byte', () => {
  for (const text of Object.values(corpus)) {
    expect(migrateSpec(text)).toEqual({ text, changed: false, from: 1, to: 1, steps: [] });
  }
});

test('a newer file is refused by telling to upgrade', () => {
  expect(errorOf(() => migrateSpec('gbuild: 2\nnothing: as before\n')).message).toMatchInlineSnapshot(`
    "one mistake in gbuild.yml

      gbuild.yml:1:9  gbuild: expected a major this gbuild can read, up to 1, found 2
        > 1 | gbuild: 2
            |         ^
        the file is made for a newer gbuild: upgrade yours"
  `);
});

test('an older major without a way to the current one is a mistake', () => {
  expect(errorOf(() => parseSpec('gbuild: 0\nname: x\ntoolchain: node\n')).message).toMatchInlineSnapshot(`
    "one mistake in gbuild.yml

      gbuild.yml:1:9  gbuild: expected 1, found the number 0
        > 1 | gbuild: 0
            |         ^
        the first line of the file is "gbuild: 1""
  `);
});

test('there is one major, and no migration yet', () => {
  expect({ currentMajor, migrations }).toEqual({ currentMajor: 1, migrations: [] });
});

test('what was migrated replaces the file', async () => {
  await using fixture = await createFixture({ 'gbuild.yml': old });
  writeSpec(fixture.getPath('gbuild.yml'), migrateSpec(old, 'gbuild.yml', table).text);
  expect(readSpec(fixture.path).spec.name).toBe('hello');
});
