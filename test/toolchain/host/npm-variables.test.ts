// biome-ignore-all lint/suspicious/noTemplateCurlyInString: npm's own way to name a variable
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { fillVariables, listMissingVariables } from '../../../src/toolchain/host/npm-variables.ts';

test.each([
  ['a=${SET}', 'a=x'],
  ['a=${SET}-${SET}', 'a=x-x'],
  ['a=${UNSET}', ''],
  ['a=${EMPTY}', ''],
  ['a=${UNSET?}', 'a='],
  ['a=${UNSET-b}', 'a=b'],
  ['a=${UNSET:-b c}', 'a=b c'],
  ['a=${SET:-b}', 'a=x'],
  ['a=\\${UNSET}', 'a=\\${UNSET}'],
  ['a=$SET', 'a=$SET'],
])('the line %s becomes %j', (line, filled) => {
  expect(fillVariables(`b=1\n${line}\n`, { SET: 'x', EMPTY: '' })).toBe(`b=1\n${filled === '' ? '' : `${filled}\n`}`);
});

test("variables of a repository's own settings are listed where its tasks do not get them", async () => {
  await using repository = await createFixture({ '.npmrc': 'a=${TOKEN}\nb=${TOKEN}\nc=${PASSED}\nd=${OTHER-1}\n' });
  const rules = [{ from: '.npmrc', to: '/home/gbuild/.npmrc', variables: 'npm' as const }];
  expect(listMissingVariables(repository.path, rules, (name) => name === 'PASSED')).toEqual([
    { file: '.npmrc', name: 'TOKEN' },
  ]);
});
