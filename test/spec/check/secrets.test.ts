import { expect, test } from 'vitest';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { mistakesOf, specWith } from '../mistakes-of.ts';

test('a secret comes from a variable, a file or a command, and a task says which it needs', () => {
  const { spec } = parseSpec(
    specWith(`secrets:
  NPM_TOKEN: {env: TOKEN}
  KEY: {file: ~/.ssh/id}
  pass: {command: [pass, show, db]}
tasks:
  deploy: {run: ./deploy, secrets: [KEY, pass]}
  test: npm test
`),
  );
  expect({ ...spec.secrets }).toEqual({
    NPM_TOKEN: { env: 'TOKEN' },
    KEY: { file: '~/.ssh/id' },
    pass: { command: ['pass', 'show', 'db'] },
  });
  expect(spec.tasks.deploy!.secrets).toEqual(['KEY', 'pass']);
  expect(spec.tasks.test!.secrets).toEqual([]);
});

test('a secret has one source, and a value is none', () => {
  expect(
    mistakesOf(
      specWith(`secrets:
  A: {env: A, file: a}
  B: {}
  C: hunter2-hunter2
  D-E: {env: D}
  F: {command: pass show f}
  G: {env: a b}
  H: {value: x}
`),
    ),
  ).toMatchInlineSnapshot(`
    [
      "5:6 secrets.A: expected one of env, file and command, found a mapping with env, file",
      "6:6 secrets.B: expected one of env, file and command, found an empty mapping",
      "7:6 secrets.C: expected a mapping, found "hunter2-hunter2"",
      "8:3 secrets.D-E: expected the name of a secret: letters, digits and _, not starting with a digit, found "D-E"",
      "9:16 secrets.F.command: expected the command as a list of words, found "pass show f" (write it as a list: ["pass", "show", "f"])",
      "10:12 secrets.G.env: expected the name of a variable: letters, digits and _, not starting with a digit, found "a b"",
      "11:6 secrets.H: expected one of env, file and command, found a mapping with value",
      "11:7 secrets.H.value: expected a known key, found "value" (known are env, file, command)",
    ]
  `);
});

test('a secret that a task needs must be there', () => {
  expect(
    mistakesOf(specWith('secrets: {TOKEN: {env: T}}\ntasks:\n  a: {run: x, secrets: [TOKN, OTHER, TOKEN]}\n')),
  ).toMatchInlineSnapshot(`
    [
      "6:25 tasks.a.secrets[0]: expected the name of a secret, found "TOKN" (did you mean TOKEN?)",
      "6:31 tasks.a.secrets[1]: expected the name of a secret, found "OTHER" (the secrets are TOKEN)",
    ]
  `);
  expect(mistakesOf(specWith('tasks:\n  a: {run: x, secrets: [TOKEN]}\n'))).toMatchInlineSnapshot(`
    [
      "5:25 tasks.a.secrets[0]: expected the name of a secret, found "TOKEN" (say under the key secrets where it comes from)",
    ]
  `);
});
