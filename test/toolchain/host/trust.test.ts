import { rootCertificates } from 'node:tls';
import { createFixture } from 'fs-fixture';
import { expect, test } from 'vitest';
import { parseAptOptions, parseSources } from '../../../src/toolchain/build/apt-setup.ts';
import { buildNetwork } from '../../../src/toolchain/build/build-context.ts';
import { readHostTrust } from '../../../src/toolchain/host/trust.ts';

const own = `-----BEGIN CERTIFICATE-----\n${Buffer.from('a root of our own').toString('base64')}\n-----END CERTIFICATE-----`;
const read = (env: Record<string, string>) => readHostTrust({ env, platform: 'linux' });
const none = { extraRoots: '', proxies: {} };
const apt = { sources: [], options: [] };

test('roots that the host names and the world does not know are extra, each once', async () => {
  await using files = await createFixture({
    'one.pem': `# ours\n${own}\n${rootCertificates[0]}\n`,
    'two.pem': own.replaceAll('\n', '\r\n'),
  });
  const before = read({}).extraRoots;
  const after = read({ NODE_EXTRA_CA_CERTS: files.getPath('one.pem'), SSL_CERT_FILE: files.getPath('two.pem') });
  expect(after.extraRoots.match(/BEGIN/g)?.length ?? 0).toBe((before.match(/BEGIN/g)?.length ?? 0) + 1);
  expect(after.extraRoots).toContain(Buffer.from('a root of our own').toString('base64'));
});

test('a file that is not there, or is no certificate, adds nothing', async () => {
  await using files = await createFixture({ 'junk.pem': 'junk' });
  const { extraRoots } = read({ NODE_EXTRA_CA_CERTS: '/nowhere', SSL_CERT_FILE: files.getPath('junk.pem') });
  expect(extraRoots).toBe(read({}).extraRoots);
});

test('proxy variables are found in both spellings and passed in both, empty ones are not', () => {
  const env = { HTTPS_PROXY: 'http://a', no_proxy: 'b', http_proxy: '', PATH: '/bin', ALL_PROXY: 'c', all_proxy: 'd' };
  expect(read(env).proxies).toEqual({
    HTTPS_PROXY: 'http://a',
    https_proxy: 'http://a',
    NO_PROXY: 'b',
    no_proxy: 'b',
    ALL_PROXY: 'c',
    all_proxy: 'd',
  });
});

test("the mirrors of the host's apt serve the suite, other vendors' repositories do not", () => {
  const targets = [
    'Debian|trixie|main|http://mirror.test/debian/|Packages',
    'Debian|trixie|main|http://mirror.test/debian/|Translations',
    'Debian|trixie|contrib|http://mirror.test/debian/|Packages',
    'Debian|trixie-updates|main|http://mirror.test/debian/|Packages',
    'Debian|trixie-backports|main|http://mirror.test/debian/|Packages',
    'Debian|trixie-security|main|https://mirror.test/debian-security|Packages',
    'Acme|trixie|main|https://acme.test/debian|Packages',
    '|trixie|main|https://tools.test/linux|Packages',
    '|trixie|main|cdrom:[Debian]/|Packages',
  ];
  expect(parseSources(targets.join('\n'), 'bookworm')).toEqual([
    'deb http://mirror.test/debian bookworm main',
    'deb http://mirror.test/debian bookworm-updates main',
    'deb https://mirror.test/debian-security bookworm-security main',
  ]);
});

test("the host's leniency about dates and its proxies are carried, the rest of its apt is not", () => {
  const dump =
    'Acquire "";\nAcquire::Check-Valid-Until "false";\nAcquire::http::Proxy "http://p.test:3142";\nAcquire::Languages "none";';
  expect(parseAptOptions(dump)).toEqual([
    'Acquire::Check-Valid-Until "false";',
    'Acquire::http::Proxy "http://p.test:3142";',
  ]);
});

test("a proxy or mirror on the host's loopback makes a build use the host's network", () => {
  const network = (proxies: Record<string, string>, sources: string[] = []) =>
    buildNetwork({ ...none, proxies }, { ...apt, sources });
  expect(network({ http_proxy: 'http://127.0.0.1:3128' })).toBe('host');
  expect(network({ HTTPS_PROXY: 'http://me:pw@localhost:3128' })).toBe('host');
  expect(network({}, ['deb http://localhost/debian bookworm main'])).toBe('host');
  expect(network({ http_proxy: 'http://proxy.test:3128', no_proxy: '//localhost' })).toBeUndefined();
  expect(network({ http_proxy: 'http://localhost.proxy.test:1' })).toBeUndefined();
});
