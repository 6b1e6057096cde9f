import { expect, test } from 'vitest';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { mistakesOf, specWith } from '../mistakes-of.ts';

const tasks = (needs: Record<string, string[]>) =>
  specWith(
    `tasks:\n${Object.entries(needs)
      .map(([name, list]) => `  ${name}: {run: x, needs: [${list.join(', ')}]}\n`)
      .join('')}`,
  );

test('a task that is needed must be there', () => {
  expect(mistakesOf(tasks({ build: [], test: ['biuld', 'nothing'] }))).toMatchInlineSnapshot(`
    [
      "6:26 tasks.test.needs[0]: expected the name of a task, found "biuld" (did you mean build?)",
      "6:33 tasks.test.needs[1]: expected the name of a task, found "nothing" (the tasks are build, test)",
    ]
  `);
});

test('the task to run before packing must be there', () => {
  expect(mistakesOf(`${tasks({ build: [] })}image: {build: bulid}\n`)).toMatchInlineSnapshot(`
    [
      "6:16 image.build: expected the name of a task, found "bulid" (did you mean build?)",
    ]
  `);
});

test('a cycle is named once, at its first task', () => {
  expect(mistakesOf(tasks({ a: ['a'] }))).toMatchInlineSnapshot(`
    [
      "5:23 tasks.a.needs[0]: expected tasks that do not need this one, found a cycle: a needs a",
    ]
  `);
  expect(mistakesOf(tasks({ start: ['c'], a: ['b'], b: ['c'], c: ['a'], d: ['c'] }))).toMatchInlineSnapshot(`
    [
      "8:23 tasks.c.needs[0]: expected tasks that do not need this one, found a cycle: c needs a needs b needs c",
    ]
  `);
  expect(mistakesOf(tasks({ a: ['b'], b: ['a'], c: ['d'], d: ['c'] }))).toHaveLength(2);
});

test('a diamond is no cycle', () => {
  expect(
    Object.keys(parseSpec(tasks({ all: ['l', 'r'], l: ['base'], r: ['base'], base: [] })).spec.tasks),
  ).toHaveLength(4);
});

test('a long chain is no cycle and no overflow, a long cycle is found', () => {
  const chain = Object.fromEntries(
    Array.from({ length: 3000 }, (_, at) => [`t${at}`, at < 2999 ? [`t${at + 1}`] : []]),
  );
  expect(Object.keys(parseSpec(tasks(chain)).spec.tasks)).toHaveLength(3000);
  expect(mistakesOf(tasks({ ...chain, t2999: ['t0'] }))).toHaveLength(1);
});

test('of many wrong names the first fifty get a suggestion, and all are told', () => {
  const wrong = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`task${at}`, [`tusk${at}`]]));
  const mistakes = mistakesOf(tasks(wrong));
  expect(mistakes).toHaveLength(60);
  expect(mistakes.filter((line) => line.includes('did you mean task')).length).toBe(50);
  expect(mistakes.at(-1)).toContain('(the tasks are task0, task1, ');
});

test('needs are checked although the rest of the file is wrong', () => {
  expect(mistakesOf(specWith('tasks:\n  a: {run: 1, needs: [b]}\n  c: []\nnetwork: x\n'))).toMatchInlineSnapshot(`
    [
      "5:12 tasks.a.run: expected a command: a text for a shell, or one program and its arguments as a list, found the number 1",
      "5:23 tasks.a.needs[0]: expected the name of a task, found "b" (the tasks are a, c)",
      "6:6 tasks.c: expected a command, or a mapping with run, found an empty list",
      "7:10 network: expected bridge, none or host, found "x"",
    ]
  `);
});
