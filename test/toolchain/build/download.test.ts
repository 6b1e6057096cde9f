import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { createFixture } from 'fs-fixture';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { constantTime } from '../../../src/oci/layer/layer.ts';
import { writeTar } from '../../../src/oci/tar/tar.ts';
import { downloadPackage } from '../../../src/toolchain/build/download.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { hostIn, neverStop, recordProgress } from '../../support/toolchains/host-in.ts';
import { ownRoot, writeOwnRoot } from '../../support/toolchains/own-root.ts';

/** A package as a registry keeps it. */
const manifest = Buffer.from(JSON.stringify({ name: 'tool', version: '1.2.3' }));
const tarball = gzipSync(
  Buffer.concat([
    ...writeTar([
      {
        header: {
          path: 'package/package.json',
          type: 'file',
          mode: 0o644,
          uid: 0,
          gid: 0,
          mtime: constantTime,
          size: manifest.length,
        },
        content: { bytes: manifest, size: manifest.length },
      },
    ]),
  ]),
);
const integrityOf = (bytes: Buffer) => `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
const integrity = integrityOf(tarball);

let served: string[] = [];
let answer: (path: string, count: number) => { status: number; body?: Buffer; location?: string } | undefined;
let registry = '';
let fixture: Awaited<ReturnType<typeof createFixture>>;

const listener: RequestListener = (request, response) => {
  const path = request.url ?? '';
  served.push(path);
  const count = served.filter((each) => each === path).length;
  const special = answer(path, count);
  const versions = {
    '1.2.3': { name: 'tool', version: '1.2.3', dist: { tarball: `${registry}tool-1.2.3.tgz`, integrity } },
  };
  const metadata = Buffer.from(JSON.stringify({ name: 'tool', 'dist-tags': { latest: '1.2.3' }, versions }));
  const usual = path === '/tool' ? metadata : path === '/tool-1.2.3.tgz' ? tarball : undefined;
  const { status, body, location } = special ?? { status: usual === undefined ? 404 : 200, body: usual };
  response.writeHead(status, location === undefined ? {} : { location });
  response.end(body);
};
const server = createServer(listener);

beforeEach(async () => {
  served = [];
  answer = () => undefined;
  fixture = await createFixture();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  registry = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await fixture.rm();
});

const request = { name: 'tool', version: '1.2.3' };
const download = (more: { integrity?: string; version?: string } = {}, environment: Record<string, string> = {}) => {
  const env = {
    ...environment,
    npm_config_registry: registry,
    npm_config_cache: fixture.getPath('npm-cache'),
    http_proxy: '',
    HTTP_PROXY: '',
  };
  const context = { host: hostIn(fixture.path, env), stop: neverStop(), progress: recordProgress() };
  return downloadPackage({ ...request, ...more }, context);
};
/** What was asked for beside metadata, which npm asks for as often as it likes. */
const tarballs = () => served.filter((path) => path !== '/tool');
const kept = () => readdirSync(fixture.getPath('downloads'));

test('a package comes from the registry that npm is configured for, once', async () => {
  const first = await download({ integrity });
  const again = await download({ integrity });
  expect(readFileSync(first.hostFile)).toEqual(tarball);
  expect(again).toEqual(first);
  expect(tarballs()).toEqual(['/tool-1.2.3.tgz']);
});

test("npm trusts the roots that stand in the system's store alone", async () => {
  const npm = '#!/bin/sh\ncp "$NODE_EXTRA_CA_CERTS" "$HERE/seen.pem"\nPATH="$REAL_PATH" exec npm "$@"\n';
  writeFileSync(fixture.getPath('npm'), npm, { mode: 0o755 });
  const env = { NODE_EXTRA_CA_CERTS: '', SSL_CERT_FILE: writeOwnRoot(fixture.getPath('store.pem')) };
  await download(
    {},
    {
      ...env,
      HERE: fixture.path,
      PATH: `${fixture.path}:${process.env.PATH}`,
      REAL_PATH: process.env.PATH ?? '',
    },
  );
  expect(readFileSync(fixture.getPath('seen.pem'), 'utf8')).toContain(ownRoot.split('\n')[5]);
});

test('a version that the catalog does not know is checked against the metadata, and kept too', async () => {
  await download();
  await download();
  expect(tarballs()).toEqual(['/tool-1.2.3.tgz']);
});

test('bytes that are not what the metadata says are refused and not kept', async () => {
  answer = (path) => (path.endsWith('.tgz') ? { status: 200, body: gzipSync('other') } : undefined);
  // npm tries again five times: without the pauses between.
  const npm = '#!/bin/sh\nPATH="$REAL_PATH" exec npm "$@" --fetch-retry-mintimeout=1 --fetch-retry-maxtimeout=1\n';
  writeFileSync(fixture.getPath('npm'), npm, { mode: 0o755 });
  const PATH = process.env.PATH ?? '';
  const error = await errorOf(() => download({}, { PATH: `${fixture.path}:${PATH}`, REAL_PATH: PATH }));
  expect(error.code).toBe('network-failed');
  expect(tarballs().length).toBeGreaterThan(1);
  expect(kept()).toEqual([]);
});

test('a registry that vouches for other bytes than the catalog does is refused', async () => {
  const pinned = integrityOf(Buffer.from('the real one'));
  const error = await errorOf(() => download({ integrity: pinned }));
  expect({ ...error, message: error.message.replace(integrity, 'FOUND') }).toMatchInlineSnapshot(`
    {
      "code": "toolchain-failed",
      "message": "the registry's tool@1.2.3 is not what gbuild's catalog vouches for: expected sha512-sUXcxC7tX5hifurNh0V5snROu1ombCVN+qmlAziX9mXX+hboGBAXFIakmL2/vDY1thTZUWbwO1kRB4rhpiAnJg==, found FOUND",
      "suggestions": [
        "npm config get registry   # is this the registry, or a mirror, that you mean?",
      ],
    }
  `);
  expect(kept()).toEqual([]);
});

test('a server error is tried again and a redirect is followed', async () => {
  answer = (path, count) => {
    if (path === '/tool' && count === 1) return { status: 503 };
    if (path === '/tool-1.2.3.tgz') return { status: 302, location: `${registry}elsewhere` };
    return path === '/elsewhere' ? { status: 200, body: tarball } : undefined;
  };
  expect(readFileSync((await download({ integrity })).hostFile)).toEqual(tarball);
  expect(tarballs()).toEqual(['/tool-1.2.3.tgz', '/elsewhere']);
});

test('a version that nobody has is told with what npm said', async () => {
  const error = await errorOf(() => download({ version: '9.9.9' }));
  expect(error.code).toBe('network-failed');
  expect(error.message).toMatch(/^npm could not fetch tool@9\.9\.9 \(exit code 1\)\n.*ETARGET/);
  expect(error.suggestions).toEqual(['npm view tool@9.9.9 version', 'npm config get registry', 'gbuild doctor']);
});

test('several at once of the same package all get whole bytes, and one file is kept', async () => {
  const all = await Promise.all([download({ integrity }), download({ integrity }), download({ integrity })]);
  expect(all.map(({ hostFile }) => readFileSync(hostFile).equals(tarball))).toEqual([true, true, true]);
  expect(kept()).toHaveLength(1);
});

test('a kept file that was damaged is fetched again', async () => {
  const { hostFile } = await download({ integrity });
  writeFileSync(hostFile, 'damaged');
  expect(readFileSync((await download({ integrity })).hostFile)).toEqual(tarball);
});

test('a missing npm is told with what to do', async () => {
  const context = { host: hostIn(fixture.path, { PATH: fixture.path }), stop: neverStop(), progress: recordProgress() };
  expect(await errorOf(() => downloadPackage(request, context))).toMatchInlineSnapshot(`
    {
      "code": "toolchain-failed",
      "message": "npm, which gbuild fetches tool@1.2.3 with, is not on PATH",
      "suggestions": [
        "install Node.js with npm, or add its folder to PATH",
        "gbuild doctor",
      ],
    }
  `);
});
