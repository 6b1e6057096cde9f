import { expect, test } from 'vitest';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { specWith } from '../mistakes-of.ts';

const warningsOf = (lines: string) => parseSpec(specWith(lines), 'sub/gbuild.yml').warnings;

test('a literal that looks like a secret is warned about with its place, and never shown', () => {
  const warnings = warningsOf(
    `env:\n  DB_PASSWORD: correct-horse\ntasks:\n  t: {run: x, env: {DEPLOY: ghp_abcdefghijk}}\nimage:\n  env: {URL: 'postgres://u:p4ssw0rd@db/x'}\n`,
  );
  expect(warnings).toMatchInlineSnapshot(`
    [
      "sub/gbuild.yml:5:16  env.DB_PASSWORD: looks like a secret; name it under secrets instead (DB_PASSWORD: {env: DB_PASSWORD}) and set it where gbuild runs",
      "sub/gbuild.yml:7:29  tasks.t.env.DEPLOY: looks like a secret; name it under secrets instead (DEPLOY: {env: DEPLOY}) and set it where gbuild runs",
      "sub/gbuild.yml:9:14  image.env.URL: looks like a secret; name it under secrets instead (URL: {env: URL}) and set it where gbuild runs",
    ]
  `);
  expect(warnings.join()).not.toMatch(/horse|ghp_|p4ss/);
});

test('what is only named like a secret is let be', () => {
  expect(
    warningsOf(
      'env: {TOKEN_FILE: /run/token, SECRET_KEYS: "true", MAX_TOKENS: "4096", API_TOKEN: $TOKEN, KEYBOARD: qwertz-de}\n',
    ),
  ).toEqual([]);
});

test('an application as root is warned about', () => {
  expect(warningsOf('image: {user: root}\n')).toMatchInlineSnapshot(`
    [
      "sub/gbuild.yml:4:15  image.user: the application will run as root; leave it out for a numeric user without rights",
    ]
  `);
  expect(warningsOf('image: {user: "0:0"}\n')).toHaveLength(1);
  expect(warningsOf('image: {user: 1000}\n')).toEqual([]);
});
