import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openPutRig, type PutRig } from '../../support/deliver/put-rig.ts';
import { makeAuthority, readIssued } from '../../support/network/authority.ts';
import { type FaultAction, type FaultProxy, startFaultProxy } from '../../support/network/fault-proxy.ts';
import { startForwardProxy } from '../../support/network/forward-proxy.ts';
import { makeBytes } from '../../support/registry/registry-rig.ts';

/** Ways in which servers that take files differ. */
interface StoreOptions {
  /** Value of Authorization without which it answers 401. */
  authorization?: string;
  ignoresConditions?: boolean;
  tellsDigest?: boolean;
  knowsHead?: boolean;
}

const kept = new Map<string, Buffer>();
let options: StoreOptions = {};
let rig: PutRig;
let proxy: FaultProxy;
let closeServer: () => Promise<unknown>;
let url: string;

beforeEach(async () => {
  kept.clear();
  options = {};
  const server = createServer((request, answer) => void serve(request, answer).catch(() => answer.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeServer = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  proxy = await startFaultProxy(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  url = `http://${proxy.host}`;
  rig = openPutRig();
});
afterEach(async () => {
  rig[Symbol.dispose]();
  await proxy[Symbol.asyncDispose]();
  await closeServer();
});

async function serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
  const { method, headers, url: path = '' } = request;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = kept.get(path);
  const end = (status: number, more: Record<string, string> = {}, body?: Buffer) =>
    answer.writeHead(status, more).end(method === 'HEAD' ? undefined : body);
  if (options.authorization !== undefined && headers.authorization !== options.authorization)
    return void end(401, {}, Buffer.from('<html><b>who</b> are you?\u001b[31m</html>'));
  if (method === 'HEAD' && options.knowsHead === false) return void end(405);
  if (method === 'PUT') {
    if (headers['if-none-match'] === '*' && bytes !== undefined && options.ignoresConditions !== true)
      return void end(412);
    kept.set(path, Buffer.concat(chunks));
    return void end(bytes === undefined ? 201 : 204);
  }
  if (bytes === undefined) return void end(404);
  const digest = createHash('sha256').update(bytes).digest('base64');
  const told = options.tellsDigest === true ? { 'Repr-Digest': `sha-256=:${digest}:` } : {};
  end(200, { 'Content-Length': String(bytes.length), ...told }, bytes);
}

const methods = () => proxy.requests.map(({ method }) => method).join(' ');

describe('a file', () => {
  test('is put, looked at, and not put again', async () => {
    const file = rig.file('x', makeBytes(2_500_000));
    expect(await rig.put(`${url}/app/1.zip`, [file])).toEqual([
      { url: `${url}/app/1.zip`, size: 2_500_000, sha256: file.sha256, alreadyThere: false },
    ]);
    expect(kept.get('/app/1.zip')?.equals(makeBytes(2_500_000))).toBe(true);
    expect(methods()).toBe('HEAD PUT HEAD GET');
    expect(proxy.requests[1]!.headers['if-none-match']).toBe('*');
    proxy.requests.length = 0;
    expect(await rig.put(`${url}/app/1.zip`, [file])).toMatchObject([{ alreadyThere: true }]);
    expect(methods()).toBe('HEAD GET');
  });

  test('is not read back where the server tells its digest', async () => {
    options = { tellsDigest: true };
    const file = rig.file('x', 'content');
    await rig.put(`${url}/x`, [file]);
    expect(await rig.put(`${url}/x`, [file])).toMatchObject([{ alreadyThere: true }]);
    expect(methods()).toBe('HEAD PUT HEAD HEAD');
  });

  test('is put to a server without HEAD', async () => {
    options = { knowsHead: false };
    await rig.put(`${url}/x`, [rig.file('x', 'content')]);
    expect(methods()).toBe('HEAD GET PUT HEAD GET');
  });

  test.each([{ tellsDigest: true }, {}])('with other bytes is refused (%j)', async (how) => {
    options = how;
    kept.set('/x', Buffer.from('other bytes'));
    expect(await rig.failure(`${url}/x`, [rig.file('x', 'mine')])).toMatchInlineSnapshot(`
      {
        "code": "output-refused",
        "message": "http://<host>/x has other bytes, and what is there is never replaced
        there: sha256 <sha256>, 11 bytes
        here:  sha256 <sha256>, 4 bytes",
        "suggestions": [
          "curl -fsS http://<host>/x | sha256sum",
          "put it under another version or key",
        ],
      }
    `);
    expect(kept.get('/x')).toEqual(Buffer.from('other bytes'));
  });
});

test.each([false, true])('of two at once one is told (conditions ignored: %j)', async (ignoresConditions) => {
  options = { ignoresConditions };
  // The first reaches the server after the second has looked.
  const [one, two] = [rig.file('x', 'one'), rig.file('x', 'two')];
  const ended = await Promise.allSettled([rig.put(`${url}/x`, [one]), rig.put(`${url}/x`, [two])]);
  const lost = ended.filter(({ status }) => status === 'rejected');
  expect(lost).toHaveLength(1);
  expect(lost[0]).toMatchObject({ reason: { code: 'output-refused' } });
});

describe('credentials', () => {
  const basic = `Basic ${Buffer.from('ci:ge heim').toString('base64')}`;

  test('of the address are sent, and never shown', async () => {
    options = { authorization: basic };
    const withUser = url.replace('//', '//ci:ge%20heim@');
    const [put] = await rig.put(`${withUser}/x`, [rig.file('x', 'content')]);
    expect(put!.url).toBe(`${url}/x`);
    const failed = await rig.failure(`${withUser}/x`, [rig.file('x', 'another')]);
    expect([...rig.trace, JSON.stringify(put), JSON.stringify(failed)].join('\n')).not.toMatch(/ge( |%20)heim|Basic/);
  });

  test('of the variable are sent, and never shown', async () => {
    options = { authorization: 'Bearer f00-bar' };
    await rig.put(`${url}/x`, [rig.file('x', 'content')], { GBUILD_PUT_AUTHORIZATION: 'Bearer f00-bar' });
    expect(rig.trace.join('\n')).not.toContain('f00-bar');
  });

  test('that are wrong or missing are said, with what to type', async () => {
    options = { authorization: basic };
    expect(await rig.failure(`${url}/x`, [rig.file('x', 'content')])).toMatchInlineSnapshot(`
      {
        "code": "registry-denied",
        "message": "cannot read http://<host>/x: it does not take the credentials (HTTP 401)",
        "suggestions": [
          "export GBUILD_PUT_AUTHORIZATION='Bearer TOKEN'",
        ],
      }
    `);
    options = { authorization: basic, knowsHead: false };
    const withUser = url.replace('//', '//ci:wrong@');
    expect(await rig.failure(`${withUser}/x`, [rig.file('x', 'content')])).toMatchInlineSnapshot(`
      {
        "code": "registry-denied",
        "message": "cannot read http://<host>/x: it does not take the user and password of the address (HTTP 401)",
        "suggestions": [
          "export GBUILD_PUT_AUTHORIZATION='Bearer TOKEN'",
        ],
      }
    `);
  });

  test('do not follow a redirect', async () => {
    proxy.fault({ action: { redirect: 'https://elsewhere.test' } });
    const failed = await rig.failure(`${url}/x`, [rig.file('x', 'content')], {
      GBUILD_PUT_AUTHORIZATION: 'Bearer f00',
    });
    expect(failed).toMatchInlineSnapshot(`
      {
        "code": "network-failed",
        "message": "cannot read http://<host>/x: it redirects, which gbuild does not follow: to https://elsewhere.test/x (HTTP 307)",
        "suggestions": [
          "--put https://elsewhere.test/x   # if you trust it",
        ],
      }
    `);
    expect(methods()).toBe('HEAD');
  });
});

describe('a failure that passes', () => {
  test.each<[string, FaultAction]>([
    ['HEAD', { drop: 'before' }],
    ['HEAD', { answer: { status: 503 } }],
    ['GET', { cutAnswer: 1000 }],
    ['PUT', { cutUpload: 100_000 }],
    ['PUT', { answer: { status: 429 } }],
    ['PUT', { drop: 'after' }],
  ])('of %s with %j is repeated', async (method, action) => {
    proxy.fault({ method, times: 2, action });
    const bytes = makeBytes(1_500_000);
    await rig.put(`${url}/x`, [rig.file('x', bytes)]);
    expect(kept.get('/x')?.equals(bytes)).toBe(true);
  });

  test('and never does ends the work, and leaves nothing', async () => {
    proxy.fault({ method: 'PUT', action: { cutUpload: 100_000 } });
    expect(await rig.failure(`${url}/x`, [rig.file('x', makeBytes(1_500_000))])).toMatchInlineSnapshot(`
      {
        "code": "network-failed",
        "message": "cannot write http://<host>/x: the connection broke, 5 times in a row",
        "suggestions": [
          "curl -v http://<host>/x",
        ],
      }
    `);
    expect(kept.size).toBe(0);
  });
});

test('an answer to the PUT that is no success is said', async () => {
  const messages: string[] = [];
  for (const status of [400, 404, 405, 413, 500, 507]) {
    proxy.reset();
    proxy.fault({ method: 'PUT', action: { answer: { status, body: 'because' } } });
    const { code, message } = await rig.failure(`${url}/x`, [rig.file('x', 'content')]);
    messages.push(`${code}: ${message}`);
  }
  expect(messages).toMatchInlineSnapshot(`
    [
      "network-failed: cannot write http://<host>/x: it refused (HTTP 400)
      it says: because",
      "network-failed: cannot write http://<host>/x: it has no such folder, and makes none (HTTP 404)
      it says: because",
      "network-failed: cannot write http://<host>/x: it does not take files by PUT (HTTP 405)
      it says: because",
      "network-failed: cannot write http://<host>/x: the file is too large for it (HTTP 413)
      it says: because",
      "network-failed: cannot write http://<host>/x: it has an error of its own (HTTP 500, 5 times in a row)
      it says: because",
      "network-failed: cannot write http://<host>/x: it has no room left (HTTP 507)
      it says: because",
    ]
  `);
});

test('a server that says it took a file and has another is not believed', async () => {
  proxy.fault({ method: 'PUT', action: { damage: 'upload' } });
  expect(await rig.failure(`${url}/x`, [rig.file('x', 'content')])).toMatchObject({ code: 'output-refused' });
  proxy.reset();
  proxy.fault({ method: 'PUT', action: { answer: { status: 201 } } });
  expect(await rig.failure(`${url}/y`, [rig.file('y', 'content')])).toMatchObject({ code: 'network-failed' });
});

test('nothing that listens is said', async () => {
  expect(await rig.failure('http://127.0.0.1:1/x', [rig.file('x', 'content')])).toMatchInlineSnapshot(`
    {
      "code": "network-failed",
      "message": "cannot read http://<host>/x: nothing listens there (connection refused)",
      "suggestions": [
        "curl -v http://<host>/x",
      ],
    }
  `);
});

test("TLS through the caller's proxy, with a root of the host's, and without it", async () => {
  const authority = makeAuthority(join(rig.dir, 'authority'));
  const server = createSecureServer(readIssued(authority.issue('store', ['DNS:store.test'])), (request, answer) => {
    serve(request, answer).catch(() => answer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await using forward = await startForwardProxy({ 'store.test:443': `127.0.0.1:${port}` });
  try {
    const env = { HTTPS_PROXY: forward.url };
    const file = rig.file('x', 'content');
    expect(await rig.failure('https://store.test/x', [file], env)).toMatchInlineSnapshot(`
      {
        "code": "network-failed",
        "message": "cannot read https://store.test/x: its certificate is signed by nobody this machine trusts (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
        "suggestions": [
          "curl -v https://store.test/x",
          "export NODE_EXTRA_CA_CERTS=FILE   # the root that signed its certificate",
        ],
      }
    `);
    using trusting = openPutRig({ extraRoots: readFileSync(authority.rootFile, 'utf8') });
    expect(await trusting.put('https://store.test/x', [file], env)).toMatchObject([{ alreadyThere: false }]);
    expect(new Set(forward.passed)).toEqual(new Set(['CONNECT store.test:443']));
    expect(JSON.stringify([rig.trace, trusting.trace])).not.toContain('proxy word');
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
