import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GbuildError } from '../../../src/errors.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { type FaultAction, type FaultProxy, startFaultProxy } from '../../support/network/fault-proxy.ts';
import { authOf, makeHome } from '../../support/registry/registry-home.ts';
import {
  countBytes,
  makeBlob,
  makeManifest,
  openRig,
  type RegistryRig,
  readAll,
} from '../../support/registry/registry-rig.ts';
import { type SpecRegistry, startSpecRegistry } from '../../support/registry/spec-registry.ts';

let registry: SpecRegistry;
let proxy: FaultProxy;
const blob = makeBlob(400_000);
const manifest = makeManifest(blob.descriptor);

beforeAll(async () => {
  registry = await startSpecRegistry();
  proxy = await startFaultProxy(registry.host);
  using rig = openRig();
  await open(rig).writeBlob(blob.descriptor, blob.open);
  await open(rig).writeManifest('1', manifest.bytes, manifest.mediaType);
});
beforeEach(() => proxy.reset());
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const open = (rig: RegistryRig) => rig.repository({ registry: proxy.host, path: 'team/app' });
const answer = (status: number, headers: Record<string, string> = {}): FaultAction => ({ answer: { status, headers } });

async function failureOf(call: () => unknown) {
  const { code, message, suggestions } = await errorOf(call);
  const tame = (text: string) =>
    text.replaceAll(proxy.host, '<registry>').replaceAll(/sha256:[0-9a-f]{64}/g, '<digest>');
  return { code, message: tame(message), suggestions: suggestions.map(tame) };
}

describe('what may pass', () => {
  test.each([408, 425, 429, 500, 502, 503, 504])('a request is sent again after HTTP %d', async (status) => {
    using rig = openRig();
    proxy.fault({ path: /manifests/, times: 2, action: answer(status) });
    expect((await open(rig).readManifest('1'))?.descriptor).toEqual(manifest.descriptor);
    expect(rig.pauses).toEqual([250, 500]);
  });

  test.each<FaultAction>([{ drop: 'before' }, { drop: 'after' }, { cutAnswer: 20 }, { damage: 'answer' }])(
    'and after %j',
    async (action) => {
      using rig = openRig();
      proxy.fault({ path: /manifests/, times: 1, action });
      expect((await open(rig).readManifest('1'))?.bytes).toEqual(manifest.bytes);
      expect(rig.pauses).toEqual([250]);
    },
  );

  test('pauses grow, by chance and up to a bound', async () => {
    using rig = openRig({ settings: { attempts: 9, random: () => 0.5 } });
    proxy.fault({ path: /manifests/, times: 8, action: answer(500) });
    await open(rig).headManifest('1');
    expect(rig.pauses).toEqual([125, 250, 500, 1000, 2000, 4000, 5000, 5000]);
  });

  test('a registry that says how long to wait is waited for: seconds, or a date by its own clock', async () => {
    using rig = openRig();
    const now = 'Tue, 24 Nov 2026 10:00:00 GMT';
    proxy.fault({ path: /manifests/, times: 1, action: answer(429, { 'Retry-After': '7' }) });
    proxy.fault({
      path: /manifests/,
      times: 1,
      action: answer(503, { Date: now, 'Retry-After': 'Tue, 24 Nov 2026 10:00:09 GMT' }),
    });
    await open(rig).headManifest('1');
    expect(rig.pauses).toEqual([7000, 9000]);
  });

  test('one that wants more patience than there is, is told at once', async () => {
    using rig = openRig();
    proxy.fault({ path: /manifests/, action: answer(429, { 'Retry-After': '3600' }) });
    expect(await failureOf(() => open(rig).headManifest('1'))).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry> refused to give the manifest team/app:1: it gets too many requests and asks to wait 3600 s (HTTP 429)",
        "suggestions": [
          "docker login <registry>   # often allows more",
        ],
      }
    `);
    expect(rig.pauses).toEqual([]);
  });

  test('what never passes is given up', async () => {
    using rig = openRig();
    const body = '{"errors":[{"code":"TOOMANYREQUESTS","message":"slow\\u001b[31m down"}]}';
    proxy.fault({ path: /manifests/, action: { answer: { status: 429, body } } });
    expect(await failureOf(() => open(rig).readManifest('1'))).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry> refused to give the manifest team/app:1: it gets too many requests: slow [31m down (TOOMANYREQUESTS) (HTTP 429, 5 times in a row)",
        "suggestions": [
          "docker login <registry>   # often allows more",
        ],
      }
    `);
    expect(rig.pauses).toEqual([250, 500, 1000, 2000]);
    proxy.reset();
    proxy.fault({ path: /blobs/, action: { drop: 'before' } });
    expect(await failureOf(() => open(rig).headBlob(blob.descriptor.digest))).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry> went away while asked to say whether it has the blob <digest> of team/app: the connection broke (5 times in a row)",
        "suggestions": [
          "curl -v https://<registry>/v2/",
          "try again when the network is back",
        ],
      }
    `);
  });

  test('whoever gets on, however slowly, is not given up', async () => {
    using rig = openRig({ settings: { attempts: 3, chunkBytes: 40_000 } });
    proxy.fault({ method: 'GET', path: /blobs/, action: { cutAnswer: 30_000 } });
    expect((await readAll(open(rig).readBlob(blob.descriptor))).equals(blob.bytes)).toBe(true);
    expect(rig.pauses.length).toBeGreaterThan(12);
    const other = makeBlob(400_000, 'slow');
    proxy.fault({ method: 'PUT', times: 1, action: { drop: 'before' } });
    proxy.fault({ method: 'PATCH', action: { cutUpload: 35_000 } });
    const sent = countBytes();
    await open(rig).writeBlob(other.descriptor, other.open, sent);
    expect(sent.total).toBe(400_000);
  });

  test('a request in which nothing moves is dropped and sent again', async () => {
    using rig = openRig({ settings: { stallSeconds: 0.5 } });
    proxy.fault({ path: /manifests/, times: 1, action: { stallAnswer: -1 } });
    proxy.fault({ method: 'GET', path: /blobs/, times: 1, action: { stallAnswer: 100_000 } });
    expect((await open(rig).readManifest('1'))?.descriptor).toEqual(manifest.descriptor);
    expect((await readAll(open(rig).readBlob(blob.descriptor))).equals(blob.bytes)).toBe(true);
    const large = makeBlob(5_000_000, 'stalled');
    proxy.fault({ method: 'PUT', times: 1, action: { stallUpload: 100_000 } });
    await open(rig).writeBlob(large.descriptor, large.open);
    // A busy machine may stall a request by itself.
    expect(rig.pauses.length).toBeGreaterThanOrEqual(3);
  });
});

describe('digests', () => {
  test('a blob whose bytes are others ends in an error before its last chunk', async () => {
    using rig = openRig();
    proxy.fault({ method: 'GET', path: /blobs/, action: { damage: 'answer' } });
    let got = 0;
    const read = async () => {
      for await (const chunk of open(rig).readBlob(blob.descriptor)) got += chunk.length;
    };
    expect(await failureOf(read)).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry> gave other bytes than the blob <digest> of team/app: its digest is <digest>",
        "suggestions": [],
      }
    `);
    expect(got).toBeLessThan(blob.descriptor.size);
  });

  test('a blob that is shorter or longer than its descriptor says is refused', async () => {
    using rig = openRig();
    const { digest, size } = blob.descriptor;
    const read = (wrong: number) => failureOf(() => readAll(open(rig).readBlob({ digest, size: wrong })));
    expect(await read(size - 1)).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry> gave other bytes than the blob <digest> of team/app: it is longer than 399999 bytes",
        "suggestions": [],
      }
    `);
    expect((await read(size + 1)).code).toBe('registry-failed');
  });

  test('a manifest whose bytes are others is refused, and so is one that the registry took for another', async () => {
    using rig = openRig();
    proxy.fault({ method: 'GET', path: /manifests/, action: { damage: 'answer' } });
    expect(await failureOf(() => open(rig).readManifest(manifest.descriptor.digest))).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry>, asked to give the manifest team/app@<digest>, has other bytes: expected <digest>, found <digest>",
        "suggestions": [],
      }
    `);
    const withHeaders = { 'docker-content-digest': digestOf(Buffer.from('another')) };
    proxy.fault({ method: 'PUT', path: /manifests/, action: { withHeaders } });
    const write = () => open(rig).writeManifest('2', manifest.bytes, manifest.mediaType);
    expect(await failureOf(write)).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry>, asked to take the manifest team/app:2, has other bytes: expected <digest>, found <digest>",
        "suggestions": [],
      }
    `);
  });

  test('bytes that were damaged on the way there are sent again', async () => {
    using rig = openRig();
    const other = makeBlob(100_000, 'damaged');
    proxy.fault({ method: 'DELETE', action: answer(405) });
    proxy.fault({ method: 'PUT', path: /uploads/, times: 1, action: { damage: 'upload' } });
    await open(rig).writeBlob(other.descriptor, other.open);
    expect(rig.pauses).toEqual([250]);
    const always = makeBlob(100_000, 'always damaged');
    proxy.fault({ method: 'PUT', path: /uploads/, action: { damage: 'upload' } });
    proxy.fault({ method: 'PATCH', path: /uploads/, action: { damage: 'upload' } });
    expect(await failureOf(() => open(rig).writeBlob(always.descriptor, always.open))).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry> got other bytes than were sent, 5 times in a row, asked to take the blob <digest> of team/app",
        "suggestions": [],
      }
    `);
  });

  test('bytes that are not what the caller says never become a blob', async () => {
    using rig = openRig();
    const other = makeBlob(100_000, 'other');
    const wrong = { ...other.descriptor, digest: digestOf(Buffer.from('wrong')) };
    expect(await failureOf(() => open(rig).writeBlob(wrong, other.open))).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the blob <digest> of 100000 bytes is not what is to be sent: its digest is <digest>",
        "suggestions": [],
      }
    `);
    const short = { ...other.descriptor, size: 100_001 };
    expect((await failureOf(() => open(rig).writeBlob(short, other.open))).message).toMatch(
      /it ends after 100000 bytes$/,
    );
    expect(await open(rig).headBlob(wrong.digest)).toBeUndefined();
    expect(proxy.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(2);
  });

  test("an error of the caller's own bytes stays what it is", async () => {
    using rig = openRig();
    const failing = function* (): Generator<Buffer> {
      yield Buffer.alloc(10);
      throw new GbuildError('store-failed', 'the blob is gone');
    };
    const write = () => open(rig).writeBlob(makeBlob(100, 'gone').descriptor, failing);
    expect((await failureOf(write)).code).toBe('store-failed');
  });
});

describe('memory', () => {
  const size = 200_000_000;
  const slab = Buffer.alloc(1_000_000, 'x');

  test('of a blob only what the connection takes is asked for', async () => {
    using rig = openRig();
    let made = 0;
    const open$ = function* (): Generator<Buffer> {
      for (; made < size; made += slab.length) yield slab;
    };
    proxy.fault({ method: 'PUT', action: { stallUpload: 100_000 } });
    const digest = digestOf(Buffer.from('never'));
    const writing = open(rig).writeBlob({ digest, size }, open$);
    setTimeout(() => rig.stop(new Error('enough')), 400);
    await expect(writing).rejects.toThrow('enough');
    expect(made).toBeLessThan(30_000_000);
  });

  test('of a blob only what its reader takes is fetched', async () => {
    using rig = openRig();
    const large = makeBlob(60_000_000, 'large');
    await open(rig).writeBlob(large.descriptor, large.open);
    for await (const _chunk of open(rig).readBlob(large.descriptor)) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      break;
    }
    expect(proxy.requests.at(-1)!.received).toBeLessThan(30_000_000);
  });
});

test('credentials do not go along when a registry points to another host', async () => {
  const headers: unknown[] = [];
  const storage = createServer((incoming, reply) => {
    headers.push(incoming.headers.authorization);
    reply.end(blob.bytes);
  });
  await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(storage.address() as AddressInfo).port}`;
  using home = makeHome();
  home.login({ auths: { [proxy.host]: authOf({ user: 'me', password: 'secret word' }) } });
  using rig = openRig({ host: home });
  proxy.fault({ path: /^\/v2\/$/, action: answer(401, { 'WWW-Authenticate': 'Basic realm="x"' }) });
  proxy.fault({ path: /blobs/, action: { redirect: origin } });
  expect((await readAll(open(rig).readBlob(blob.descriptor))).equals(blob.bytes)).toBe(true);
  expect(headers).toEqual([undefined]);
  expect(proxy.requests.at(-1)?.headers.authorization).toMatch(/^Basic /);
  await new Promise((resolve) => storage.close(resolve));
});

test('a registry that repeats a secret is not repeated', async () => {
  using home = makeHome();
  const me = { user: 'me', password: 'secret word' };
  home.login({ auths: { [proxy.host]: authOf(me) } });
  using rig = openRig({ host: home });
  proxy.fault({ path: /^\/v2\/$/, action: answer(401, { 'WWW-Authenticate': 'Basic realm="x"' }) });
  const body = JSON.stringify({
    errors: [{ code: 'DENIED', message: `not by secret word (Basic ${authOf(me).auth})` }],
  });
  proxy.fault({ path: /manifests/, action: { answer: { status: 403, body } } });
  expect(await failureOf(() => open(rig).readManifest('1'))).toMatchInlineSnapshot(`
    {
      "code": "registry-denied",
      "message": "the registry <registry> refused to give the manifest team/app:1: you are not allowed to do this there: not by *** (Basic ***) (DENIED) (HTTP 403)",
      "suggestions": [
        "docker login <registry>",
      ],
    }
  `);
});

test('what a registry wants its users to know is passed on, once', async () => {
  const warnings: string[] = [];
  using rig = openRig({ warn: (text) => void warnings.push(text.replace(proxy.host, '<registry>')) });
  const warning = '299 - "pulls by \\"tag\\" end in May", 110 cache "stale", 299 - "or not"';
  proxy.fault({ action: { withHeaders: { warning } } });
  await open(rig).readManifest('1');
  await open(rig).listTags();
  expect(warnings).toEqual([
    'the registry <registry> says: pulls by "tag" end in May',
    'the registry <registry> says: or not',
  ]);
});

test('a stop ends everything at once, with its own reason', async () => {
  using rig = openRig({
    settings: { sleep: (_ms, signal) => new Promise((_, reject) => signal.addEventListener('abort', reject)) },
  });
  proxy.fault({ path: /manifests/, action: { stallAnswer: -1 } });
  proxy.fault({ path: /blobs/, action: answer(500) });
  const reason = new GbuildError('interrupted', 'interrupted by INT', { exitCode: 130 });
  const waiting = [open(rig).headManifest('1'), open(rig).headBlob(blob.descriptor.digest)];
  setTimeout(() => rig.stop(reason), 50);
  expect(await Promise.allSettled(waiting)).toEqual(waiting.map(() => ({ status: 'rejected', reason })));
  await expect(open(rig).listTags()).rejects.toBe(reason);
});

test.each([
  [403, 'registry-denied', 'you are not allowed to do this there (HTTP 403)'],
  [404, 'registry-failed', 'it was not found (HTTP 404)'],
  [405, 'registry-failed', 'it does not allow that: it may be read-only, or a mirror (HTTP 405)'],
  [413, 'registry-failed', 'that is too large for it, or it has no room for it (HTTP 413)'],
  [501, 'registry-failed', 'it has an error of its own (HTTP 501)'],
  [507, 'registry-failed', 'it has no room left (HTTP 507)'],
])('HTTP %d ends an upload at once as %s: %s', async (status, code, why) => {
  using rig = openRig();
  const other = makeBlob(10, 'refused');
  proxy.fault({ method: 'POST', action: answer(status) });
  const failure = await failureOf(() => open(rig).writeBlob(other.descriptor, other.open));
  expect(failure).toMatchObject({
    code,
    message: `the registry <registry> refused to take the blob <digest> of team/app: ${why}`,
  });
  expect(rig.pauses).toEqual([]);
});
