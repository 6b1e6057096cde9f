import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorOf } from '../../support/assert/error-of.ts';
import { type Authority, makeAuthority } from '../../support/network/authority.ts';
import { type ForwardProxy, startForwardProxy } from '../../support/network/forward-proxy.ts';
import { makeBlob, openRig, type RegistryRig, readAll } from '../../support/registry/registry-rig.ts';
import { startSpecRegistry } from '../../support/registry/spec-registry.ts';

let dir: string;
let authority: Authority;
let registries: AsyncDisposable[];
let proxy: ForwardProxy;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gbuild-registry-proxy-'));
  authority = makeAuthority(dir);
  const tls = authority.issue('registry', ['DNS:secure.test']);
  const [secure, plain] = [await startSpecRegistry({ tls }), await startSpecRegistry()];
  registries = [secure, plain];
  proxy = await startForwardProxy({ 'secure.test:443': secure.host, 'plain.test:5000': plain.host });
});
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  for (const each of registries) await each[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const behind = (env: Record<string, string>, more: { insecure?: string[] } = {}) =>
  openRig({
    host: { env, homeDir: '/nowhere' },
    readExtraRoots: () => readFileSync(authority.rootFile, 'utf8'),
    ...more,
  });

async function goThereAndBack(rig: RegistryRig, registry: string): Promise<boolean> {
  const repository = rig.repository({ registry, path: 'team/app' });
  const blob = makeBlob(300_000);
  await repository.writeBlob(blob.descriptor, blob.open);
  return (await readAll(repository.readBlob(blob.descriptor))).equals(blob.bytes);
}

const tame = (text: string) => text.replaceAll(String(proxy.port), '<port>');

test('a registry is reached through a proxy that wants a password, in one tunnel, and TLS is with the registry itself', async () => {
  using rig = behind({ HTTPS_PROXY: proxy.url });
  expect(await goThereAndBack(rig, 'secure.test')).toBe(true);
  expect(proxy.passed.splice(0)).toEqual(['CONNECT secure.test:443']);
  expect(rig.trace.join('\n')).not.toContain('proxy');
});

test('a proxy that refused the connection is named without its password', async () => {
  using rig = behind({ HTTPS_PROXY: proxy.url.replace('proxy%20word', 'wrong%20word') });
  const { code, message, suggestions } = await errorOf(() => goThereAndBack(rig, 'secure.test'));
  expect({ code, message: tame(message), suggestions }).toMatchInlineSnapshot(`
    {
      "code": "registry-failed",
      "message": "the proxy 127.0.0.1:<port> refused the connection: it wants a user name and a password, or does not accept those given",
      "suggestions": [
        "check HTTPS_PROXY and NO_PROXY",
      ],
    }
  `);
  using nowhere = behind({ HTTPS_PROXY: proxy.url });
  const { message: second } = await errorOf(() => goThereAndBack(nowhere, 'other.test'));
  expect(tame(second)).toMatchInlineSnapshot(`"the proxy 127.0.0.1:<port> refused the connection: HTTP 502"`);
});

test('a registry elsewhere is never asked without TLS, but where the caller says so', async () => {
  using strict = behind({ HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url });
  expect(await errorOf(() => goThereAndBack(strict, 'plain.test:5000'))).toMatchInlineSnapshot(`
    {
      "code": "registry-failed",
      "message": "the registry plain.test:5000 does not speak TLS",
      "suggestions": [
        "if it may be asked without: registries: { "plain.test:5000": { insecure: true } } in gbuild's config.yml",
      ],
    }
  `);
  expect(proxy.passed.splice(0).filter((line) => !line.startsWith('CONNECT'))).toEqual([]);
  using rig = behind({ HTTPS_PROXY: proxy.url, HTTP_PROXY: proxy.url }, { insecure: ['plain.test:5000'] });
  expect(await goThereAndBack(rig, 'plain.test:5000')).toBe(true);
  expect(proxy.passed).toContain('GET http://plain.test:5000/v2/');
});

test('a registry that NO_PROXY names is asked directly', async () => {
  using rig = behind({ HTTPS_PROXY: proxy.url, NO_PROXY: 'secure.test' });
  expect((await errorOf(() => goThereAndBack(rig, 'secure.test'))).code).toBe('registry-failed');
  expect(proxy.passed.filter((line) => line.includes('secure'))).toEqual([]);
});
