import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { findCredentials } from '../../../src/registry/auth/credentials.ts';
import { addressOf } from '../../../src/registry/http/address.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { authOf, makeHome, type RegistryHome } from '../../support/registry/registry-home.ts';

const me = authOf({ user: 'me', password: 'pass:word' });
const known = { kind: 'password', user: 'me', password: 'pass:word' };
const never = new AbortController().signal;

async function find(home: RegistryHome, registry: string) {
  const found = await findCredentials(addressOf(registry), home, never);
  return found && { ...found, origin: found.origin.replaceAll(home.homeDir, '<home>') };
}

async function failureOf(home: RegistryHome, registry = 'r.test') {
  const { code, message, suggestions } = await errorOf(() => find(home, registry));
  const tame = (text: string) => text.replaceAll(home.homeDir, '<home>');
  return { code, message: tame(message), suggestions: suggestions.map(tame) };
}

test('nobody is known where there is no docker config, or nothing in it', async () => {
  using home = makeHome();
  expect(await find(home, 'r.test')).toBeUndefined();
  for (const config of [{}, { auths: {} }, { auths: { 'r.test': {} } }, { auths: { 'r.test': { auth: '' } } }, '[]']) {
    home.login(config);
    expect(await find(home, 'r.test')).toBeUndefined();
  }
});

test.each([
  ['r.test:5000', 'r.test:5000'],
  ['r.test', 'https://r.test/v1/'],
  ['r.test', 'http://r.test'],
  ['docker.io', 'https://index.docker.io/v1/'],
  ['index.docker.io', 'https://index.docker.io/v1/'],
  ['docker.io', 'docker.io'],
])('the credentials of %s are found under %s', async (registry, key) => {
  using home = makeHome();
  home.login({ auths: { 'other.test': authOf({ user: 'x', password: 'y' }), [key]: me } });
  expect(await find(home, registry)).toEqual({ ...known, origin: `the entry "${key}" of <home>/.docker/config.json` });
});

test('DOCKER_CONFIG names another folder', async () => {
  using home = makeHome();
  using other = makeHome();
  other.login({ auths: { 'r.test': me } });
  home.env.DOCKER_CONFIG = `${other.homeDir}/.docker`;
  expect(await find(home, 'r.test')).toMatchObject(known);
});

test('an entry may hold tokens, or a user and a password in the open', async () => {
  using home = makeHome();
  home.login({
    auths: {
      'identity.test': { ...me, identitytoken: 'long' },
      'bearer.test': { registrytoken: 'short' },
      'open.test': { username: 'me', password: 'pass:word' },
    },
  });
  expect(await find(home, 'identity.test')).toMatchObject({ kind: 'identity', token: 'long' });
  expect(await find(home, 'bearer.test')).toMatchObject({ kind: 'bearer', token: 'short' });
  expect(await find(home, 'open.test')).toMatchObject(known);
});

const answering = `printf '{"ServerURL":"%s","Username":"me","Secret":"%s"}' "$server" "pass:word"`;

test("a registry's own helper is asked before the one for all, and both before the file", async () => {
  using home = makeHome();
  home.addHelper('own', answering);
  home.addHelper('all', answering.replace('pass:word', 'of all'));
  home.login({ credHelpers: { 'r.test': 'own' }, credsStore: 'all', auths: { 'r.test': me, 's.test': me } });
  expect(await find(home, 'r.test')).toEqual({
    ...known,
    origin: 'docker-credential-own, named by credHelpers in <home>/.docker/config.json',
  });
  expect(await find(home, 's.test')).toEqual({
    ...known,
    password: 'of all',
    origin: 'docker-credential-all, named by credsStore in <home>/.docker/config.json',
  });
});

test("a helper is asked for the Hub by its old address, and '<token>' as user is an identity token", async () => {
  using home = makeHome();
  home.addHelper('hub', `printf '{"Username":"<token>","Secret":"%s"}' "$server"`);
  home.login({ credsStore: 'hub' });
  expect(await find(home, 'docker.io')).toMatchObject({ kind: 'identity', token: 'https://index.docker.io/v1/' });
});

test('a helper that does not know the registry leaves it to the file', async () => {
  using home = makeHome();
  home.addHelper('empty', 'echo "credentials not found in native keychain"; exit 1');
  home.login({ credsStore: 'empty', auths: { 'r.test': me } });
  expect(await find(home, 'r.test')).toMatchObject(known);
});

test('a helper that is missing or fails is an error that says who asked for it, and nothing that it printed', async () => {
  using home = makeHome();
  home.login({ credHelpers: { 'r.test': 'gone' } });
  expect(await failureOf(home)).toMatchInlineSnapshot(`
    {
      "code": "registry-denied",
      "message": "no credentials for r.test: docker-credential-gone, named by credHelpers in <home>/.docker/config.json: it is not on PATH",
      "suggestions": [
        "echo r.test | docker-credential-gone get >/dev/null",
        "docker login r.test",
      ],
    }
  `);
  home.addHelper('gone', 'echo secret word; echo secret word >&2; exit 3');
  expect(await failureOf(home)).toMatchInlineSnapshot(`
    {
      "code": "registry-denied",
      "message": "no credentials for r.test: docker-credential-gone, named by credHelpers in <home>/.docker/config.json: it ended with exit code 3",
      "suggestions": [
        "echo r.test | docker-credential-gone get >/dev/null",
        "docker login r.test",
      ],
    }
  `);
  home.addHelper('gone', 'kill -9 $$');
  expect((await failureOf(home)).message).toMatch(/: it was ended by SIGKILL$/);
  home.addHelper('gone', 'exec cat /dev/zero');
  expect((await failureOf(home)).message).toMatch(/: its answer is longer than 1024 KiB$/);
  home.addHelper('gone', 'echo secret word');
  expect((await failureOf(home)).message).toMatch(/: its answer is not understood$/);
  home.login({ credsStore: '../../bin/sh' });
  expect((await failureOf(home)).message).toMatch(/: that is not a program name$/);
});

test('a failure of a helper brings nothing that it printed, also as its cause', async () => {
  using home = makeHome();
  home.login({ credsStore: 'loud' });
  for (const script of ['echo secret word; exit 3', 'echo secret word; kill -9 $$', 'yes secret word']) {
    home.addHelper('loud', script);
    const thrown = await find(home, 'r.test').catch((cause: unknown) => cause);
    expect(inspect(thrown, { depth: 9 })).not.toContain('secret word');
  }
});

test('a helper that ends without reading its input has answered', async () => {
  using home = makeHome();
  writeFileSync(join(home.homeDir, 'helper.json'), '{"Username":"me","Secret":"pass:word"}');
  home.addHelper('deaf', '');
  writeFileSync(join(home.homeDir, 'bin/docker-credential-deaf'), `#!/bin/sh\nexec cat ${home.homeDir}/helper.json\n`);
  home.login({ credsStore: 'deaf' });
  expect(await find(home, 'r.test')).toMatchObject(known);
});

test('a docker config that cannot be read is an error without a word of it', async () => {
  using home = makeHome();
  home.login('{"auths": {"r.test": {"auth": "c2VjcmV0"');
  expect(await failureOf(home)).toMatchInlineSnapshot(`
    {
      "code": "config-invalid",
      "message": "the docker config <home>/.docker/config.json is not JSON",
      "suggestions": [
        "ls -l <home>/.docker/config.json",
      ],
    }
  `);
});

test('a helper is ended when the caller wants to stop', async () => {
  using home = makeHome();
  home.addHelper('slow', 'exec sleep 30');
  home.login({ credsStore: 'slow' });
  const stop = new AbortController();
  const asked = findCredentials(addressOf('r.test'), home, stop.signal);
  const reason = new Error('stopped');
  setTimeout(() => stop.abort(reason), 50);
  await expect(asked).rejects.toBe(reason);
});
