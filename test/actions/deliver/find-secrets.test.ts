import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { assertNoSecretValues, listReadable, listSourceTexts } from '../../../src/actions/deliver/find-secrets.ts';
import type { WorkspaceSession } from '../../../src/actions/session/context.ts';
import type { DeliveryFile } from '../../../src/deliver/files.ts';
import { parseSpec } from '../../../src/spec/read/read-spec.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { hostIn, recordProgress } from '../../support/toolchains/host-in.ts';

const value = "it's-a-password";
const { spec } = parseSpec(
  'gbuild: 1\nname: hello\ntoolchain: node\nsecrets: {DB: {env: DB_PASSWORD}, GONE: {env: NOT_SET}}\n',
);
const context = {
  host: { ...hostIn('/nowhere'), env: { DB_PASSWORD: value } },
  rootDir: '/nowhere',
  signal: new AbortController().signal,
  trusted: ['DB', 'GONE'],
};
const judge = (files: DeliveryFile[], service: { env?: Record<string, string>; args?: string[] } = {}) =>
  errorOf(() =>
    assertNoSecretValues(
      files,
      listSourceTexts({ service: { name: 'hello', env: {}, volumes: [], ...service } }),
      spec,
      context,
    ),
  );
const text = (path: string, content: string): DeliveryFile => ({ kind: 'text', path, text: content });

test('a secret of gbuild.yml and a private key are found in texts and in bundles, and no value is shown', async () => {
  const key = '-----BEGIN EC PRIVATE KEY-----\nabc\n';
  const bundle: DeliveryFile = { kind: 'zip', path: 'a.zip', entries: [{ kind: 'text', path: 'key.pem', text: key }] };
  const refused = await judge([text('compose.yml', `A: ${value}`), bundle]);
  expect(refused).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "the delivery would hold secrets:
      compose.yml: the value of the secret DB
      key.pem: a private key",
      "suggestions": [
        "let the system that deploys give the application its secrets, and leave them out of gbuild.yml and templates",
      ],
    }
  `);
});

test('a value that is written in another form is found where it comes from', async () => {
  const written = text('env.sh', "DB='it'\\''s-a-password'");
  expect((await judge([written], { env: { DB: value }, args: ['--db', value] })).message).toMatchInlineSnapshot(`
    "the delivery would hold secrets:
      deliver.service.env.DB: the value of the secret DB
      deliver.service.args[1]: the value of the secret DB"
  `);
});

test('what holds no secret passes', async () => {
  await assertNoSecretValues([text('compose.yml', 'A: b')], [], spec, context);
});

test('what the repository takes from this machine is read only where the caller trusts it', async () => {
  const named = parseSpec(
    'gbuild: 1\nname: hello\ntoolchain: node\nsecrets: {DB: {env: DB_PASSWORD}, KEY: {file: ~/.ssh/id}, RUN: {command: [pass]}}\n',
  ).spec;
  const progress = recordProgress();
  const session = { rootDir: process.cwd(), spec: named } as WorkspaceSession;
  const host = hostIn(tmpdir());
  expect(await listReadable(session, { host, installDir: '', progress })).toEqual(['DB']);
  expect(progress.notes.join('\n')).toContain('is not searched for the secrets KEY, RUN');
});
