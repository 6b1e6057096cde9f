import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorOf } from '../../support/assert/error-of.ts';
import { type Authority, type Issued, makeAuthority } from '../../support/network/authority.ts';
import { startFaultProxy } from '../../support/network/fault-proxy.ts';
import { registryUser, startRegistry } from '../../support/registry/registry.ts';
import { authOf, makeHome } from '../../support/registry/registry-home.ts';
import { makeBlob, openRig } from '../../support/registry/registry-rig.ts';
import { startTokenServer } from '../../support/registry/token-server.ts';

let dir: string;
let authority: Authority;
let server: Issued;
let client: Issued;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gbuild-registry-auth-'));
  authority = makeAuthority(dir);
  server = authority.issue('registry', ['IP:127.0.0.1']);
  client = authority.issue('client', ['DNS:client'], { usage: 'clientAuth' });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Writes and reads a blob, whose digest goes with the seed. */
async function tryWriting(rig: ReturnType<typeof openRig>, registry: string, seed: string, path = 'team/app') {
  const blob = makeBlob(1000, seed);
  const repository = rig.repository({ registry, path });
  await repository.writeBlob(blob.descriptor, blob.open);
  return repository.headBlob(blob.descriptor.digest);
}

/** Errors without what differs from run to run. */
async function failureOf(call: () => unknown, names: Record<string, string>) {
  const { code, message, suggestions } = await errorOf(call);
  const tame = (text: string) =>
    Object.entries(names)
      .reduce((tamed, [name, value]) => tamed.replaceAll(value, `<${name}>`), text)
      .replaceAll(/sha256:[0-9a-f]{64}/g, '<digest>');
  return { code, message: tame(message), suggestions: suggestions.map(tame) };
}

test('a registry that wants a password gets the one of the docker config, and no other', async () => {
  await using registry = await startRegistry({ withPassword: true });
  using home = makeHome();
  const names = { registry: registry.host, home: home.homeDir };
  const attempt = async () => {
    using rig = openRig({ host: home });
    return { found: await tryWriting(rig, registry.host, 'basic'), trace: rig.trace.join('\n') };
  };
  expect(await failureOf(attempt, names)).toMatchInlineSnapshot(`
    {
      "code": "registry-denied",
      "message": "the registry <registry> refused to take the blob <digest> of team/app: it wants credentials, and there are none: authentication required (UNAUTHORIZED)",
      "suggestions": [
        "docker login <registry>",
      ],
    }
  `);
  home.login({ auths: { [registry.host]: authOf({ user: 'ci', password: 'wrong one' }) } });
  expect(await failureOf(attempt, names)).toMatchInlineSnapshot(`
    {
      "code": "registry-denied",
      "message": "the registry <registry> refused to take the blob <digest> of team/app: it does not take the entry "<registry>" of <home>/.docker/config.json for that: authentication required (UNAUTHORIZED)",
      "suggestions": [
        "docker login <registry>",
      ],
    }
  `);
  home.login({ auths: { [registry.host]: authOf(registryUser) } });
  const { found, trace } = await attempt();
  expect(found).toBe(1000);
  expect(trace).toContain('PUT');
  for (const secret of [registryUser.password, authOf(registryUser).auth]) expect(trace).not.toContain(secret);
});

test('a bearer token is asked for with a password, once for each need', async () => {
  await using tokens = await startTokenServer(server);
  await using registry = await startRegistry({ tokens: { ...tokens, rootFile: authority.rootFile } });
  using home = makeHome();
  home.login({ auths: { [registry.host]: authOf(registryUser) } });
  using rig = openRig({ host: home });
  const seeds = ['one', 'two', 'three'];
  const found = await Promise.all(seeds.map((seed) => tryWriting(rig, registry.host, seed)));
  expect(found).toEqual([1000, 1000, 1000]);
  expect(tokens.requests.map(({ method, parameters }) => [method, parameters.getAll('scope')])).toEqual([
    ['GET', ['repository:team/app:pull,push']],
    ['GET', ['repository:team/app:pull']],
  ]);
  expect(rig.trace.join('\n')).not.toMatch(/Bearer|of the tests/);
});

test('a token that is no longer taken is asked for anew, and the upload goes on', async () => {
  await using tokens = await startTokenServer(server);
  await using registry = await startRegistry({ tokens: { ...tokens, rootFile: authority.rootFile } });
  await using proxy = await startFaultProxy(registry.host);
  using home = makeHome();
  home.login({ auths: { [proxy.host]: authOf(registryUser) } });
  using rig = openRig({ host: home });
  const challenge = `Bearer realm="${tokens.realm}",service="${tokens.service}",error="invalid_token"`;
  const expired = { status: 401, headers: { 'WWW-Authenticate': challenge } };
  proxy.fault({ method: 'PUT', times: 1, action: { answer: expired } });
  expect(await tryWriting(rig, proxy.host, 'expired')).toBe(1000);
  expect(proxy.requests.map(({ method, status }) => `${method} ${status}`)).toEqual([
    'GET 401',
    'POST 202',
    'PUT 401',
    'PUT 201',
    'HEAD 200',
  ]);
  expect(tokens.requests.map(({ parameters }) => parameters.get('scope'))).toEqual([
    'repository:team/app:pull,push',
    'repository:team/app:pull,push',
    'repository:team/app:pull',
  ]);
});

test('an identity token of a credential helper is changed for bearer tokens, and never sent to the registry', async () => {
  await using tokens = await startTokenServer(server);
  await using registry = await startRegistry({ tokens: { ...tokens, rootFile: authority.rootFile } });
  using home = makeHome();
  home.login({ credHelpers: { [registry.host]: 'test' } });
  home.addHelper('test', `printf '{"ServerURL":"%s","Username":"<token>","Secret":"identity-of-the-tests"}' "$server"`);
  using rig = openRig({ host: home });
  expect(await tryWriting(rig, registry.host, 'identity')).toBe(1000);
  expect(tokens.requests.map(({ method, parameters }) => [method, parameters.get('grant_type')])).toEqual([
    ['POST', 'refresh_token'],
    ['POST', 'refresh_token'],
  ]);
});

test('who may only pull, whose token server is closed or has another clock, is told so', async () => {
  await using tokens = await startTokenServer(server, { anonymousPull: true });
  await using registry = await startRegistry({ tokens: { ...tokens, rootFile: authority.rootFile } });
  using home = makeHome();
  const names = { registry: registry.host, home: home.homeDir, tokens: new URL(tokens.realm).host };
  const attempt = async () => {
    using rig = openRig({ host: home });
    await tryWriting(rig, registry.host, 'denied');
  };
  expect(await failureOf(attempt, names)).toMatchInlineSnapshot(`
    {
      "code": "registry-denied",
      "message": "the registry <registry> refused to take the blob <digest> of team/app: it wants credentials, and there are none: authentication required (UNAUTHORIZED)",
      "suggestions": [
        "docker login <registry>",
      ],
    }
  `);
  tokens.set({ anonymousPull: false });
  expect(await failureOf(attempt, names)).toMatchInlineSnapshot(`
    {
      "code": "registry-denied",
      "message": "the token server <tokens> of the registry <registry> gives no token without credentials, and there are none (HTTP 401)",
      "suggestions": [
        "docker login <registry>",
      ],
    }
  `);
  home.login({ auths: { [registry.host]: authOf(registryUser) } });
  tokens.set({ password: 'changed' });
  expect(await failureOf(attempt, names)).toMatchInlineSnapshot(`
    {
      "code": "registry-denied",
      "message": "the token server <tokens> of the registry <registry> does not take the entry "<registry>" of <home>/.docker/config.json (HTTP 401)",
      "suggestions": [
        "docker login <registry>",
      ],
    }
  `);
  tokens.set({ password: registryUser.password, clockAhead: 3600 });
  expect(await failureOf(attempt, names)).toMatchInlineSnapshot(`
    {
      "code": "registry-denied",
      "message": "the registry <registry> refused to take the blob <digest> of team/app: it does not take the token of its token server, whose clock is 60 min ahead of the registry's",
      "suggestions": [],
    }
  `);
  tokens.set({ clockAhead: 0, allow: ({ action }) => action === 'pull' });
  expect(await failureOf(attempt, names)).toMatchInlineSnapshot(`
    {
      "code": "registry-denied",
      "message": "the registry <registry> refused to take the blob <digest> of team/app: it does not take the entry "<registry>" of <home>/.docker/config.json for that: authentication required (UNAUTHORIZED)",
      "suggestions": [
        "docker login <registry>",
      ],
    }
  `);
});

test('a blob is not mounted from where one may not read, and is uploaded instead', async () => {
  await using tokens = await startTokenServer(server, { allow: ({ name }) => name !== 'other/app' });
  await using registry = await startRegistry({ tokens: { ...tokens, rootFile: authority.rootFile } });
  using home = makeHome();
  home.login({ auths: { [registry.host]: authOf(registryUser) } });
  using rig = openRig({ host: home });
  const repository = rig.repository({ registry: registry.host, path: 'team/app' });
  const blob = makeBlob(1000, 'mount');
  expect(await repository.mountBlob(blob.descriptor.digest, 'other/app')).toBe(false);
  await repository.writeBlob(blob.descriptor, blob.open);
  expect(await repository.headBlob(blob.descriptor.digest)).toBe(1000);
});

test('a registry with a certificate of a company of its own is trusted by its root, given or kept for it', async () => {
  await using registry = await startRegistry({ tls: server });
  using home = makeHome();
  const names = { registry: registry.host };
  const attempt = async (more: { readExtraRoots?: () => string; insecure?: string[] } = {}) => {
    using rig = openRig({ host: home, ...more });
    return await tryWriting(rig, registry.host, 'tls');
  };
  expect(await failureOf(attempt, names)).toMatchInlineSnapshot(`
    {
      "code": "registry-failed",
      "message": "the certificate of the registry <registry> is signed by nobody this machine trusts (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
      "suggestions": [
        "put the root that signed it into ~/.config/docker/certs.d/<registry>/ca.crt, or name it in NODE_EXTRA_CA_CERTS",
      ],
    }
  `);
  expect(await attempt({ insecure: [registry.host] })).toBe(1000);
  expect(await attempt({ readExtraRoots: () => readFileSync(authority.rootFile, 'utf8') })).toBe(1000);
  home.addCertificate(`${registry.host}/ca.crt`, readFileSync(authority.rootFile));
  expect(await attempt()).toBe(1000);
});

test("a registry that wants the client's certificate gets it", async () => {
  await using registry = await startRegistry({ tls: { ...server, clientRootFile: authority.rootFile } });
  using home = makeHome();
  home.addCertificate(`${registry.host}/ca.crt`, readFileSync(authority.rootFile));
  const attempt = async () => {
    using rig = openRig({ host: home });
    return await tryWriting(rig, registry.host, 'tls');
  };
  expect((await errorOf(attempt)).code).toBe('registry-failed');
  home.addCertificate(`${registry.host}/client.cert`, readFileSync(client.certFile));
  expect((await errorOf(attempt)).message).toMatch(/client\.key: ENOENT/);
  home.addCertificate(`${registry.host}/client.key`, readFileSync(client.keyFile));
  expect(await attempt()).toBe(1000);
});

test('a certificate that has expired, or is for another name, is told apart', async () => {
  const expired = authority.issue('expired', ['IP:127.0.0.1'], { days: -1 });
  const misnamed = authority.issue('misnamed', ['DNS:registry.test']);
  for (const tls of [expired, misnamed]) {
    await using registry = await startRegistry({ tls });
    using rig = openRig({ readExtraRoots: () => readFileSync(authority.rootFile, 'utf8') });
    const repository = rig.repository({ registry: registry.host, path: 'a' });
    const failure = await failureOf(() => repository.listTags(), { registry: registry.host });
    if (tls === expired)
      expect(failure).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the certificate of the registry <registry> has expired by this machine's clock",
        "suggestions": [
          "date   # is it right?",
          "curl -v https://<registry>/v2/",
        ],
      }
    `);
    else
      expect(failure).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the certificate of the registry <registry> is for DNS:registry.test",
        "suggestions": [
          "curl -v https://<registry>/v2/",
        ],
      }
    `);
  }
});

test('a registry that is read-only says so', async () => {
  await using registry = await startRegistry({ readOnly: true });
  using rig = openRig();
  const attempt = () => tryWriting(rig, registry.host, 'read-only');
  expect(await failureOf(attempt, { registry: registry.host })).toMatchInlineSnapshot(`
    {
      "code": "registry-failed",
      "message": "the registry <registry> refused to take the blob <digest> of team/app: it does not allow that: it may be read-only, or a mirror (HTTP 405)",
      "suggestions": [],
    }
  `);
});
