import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.ts';
import { type FaultProxy, startFaultProxy } from '../network/fault-proxy.ts';
import { countBytes, makeBlob, makeManifest, openRig, type RegistryRig, readAll } from './registry-rig.ts';

/** Parts of the suite for its own tests. */
export interface RegistrySuite {
  proxy: FaultProxy;
  /** Opens a repository behind the proxy. */
  open(rig: RegistryRig, path: string): ReturnType<RegistryRig['repository']>;
  /** Lists method, sent bytes and status of each request since the test began. */
  seen(): string[];
}

const megabyte = 1_000_000;

/** Tests what every registry must do, the tests' own and real ones alike, behind a proxy that fails on demand. */
export function testRegistry(start: () => Promise<{ host: string } & AsyncDisposable>): RegistrySuite {
  let registry: Awaited<ReturnType<typeof start>>;
  const suite: RegistrySuite = {
    proxy: undefined as unknown as FaultProxy,
    open: (rig, path) => rig.repository({ registry: suite.proxy.host, path }),
    seen: () => suite.proxy.requests.map(({ method, sent, status }) => `${method} ${sent} ${status}`),
  };
  beforeAll(async () => {
    registry = await start();
    suite.proxy = await startFaultProxy(registry.host);
  });
  beforeEach(() => suite.proxy.reset());
  afterAll(async () => {
    await suite.proxy?.[Symbol.asyncDispose]();
    await registry?.[Symbol.asyncDispose]();
  });

  test('an image goes there and comes back, byte by byte', async () => {
    using rig = openRig();
    const repository = suite.open(rig, 'team/there-and-back');
    const blob = makeBlob(megabyte);
    const manifest = makeManifest(blob.descriptor);
    const sent = countBytes();
    expect(await repository.headBlob(blob.descriptor.digest)).toBeUndefined();
    expect(await repository.headManifest('1')).toBeUndefined();
    expect(await repository.readManifest('1')).toBeUndefined();
    expect(await repository.listTags()).toEqual([]);
    await repository.writeBlob(blob.descriptor, blob.open, sent);
    expect(sent.total).toBe(megabyte);
    expect(await repository.writeManifest('1', manifest.bytes, manifest.mediaType)).toBe(manifest.descriptor.digest);
    expect(await repository.headBlob(blob.descriptor.digest)).toBe(megabyte);
    expect(await repository.headManifest('1')).toEqual(manifest.descriptor);
    expect(await repository.readManifest('1')).toEqual({ descriptor: manifest.descriptor, bytes: manifest.bytes });
    expect(await repository.listTags()).toEqual(['1']);
    expect((await readAll(repository.readBlob(blob.descriptor))).equals(blob.bytes)).toBe(true);
    expect(await repository.deleteManifest(manifest.descriptor.digest)).toBe(true);
    expect(await repository.deleteManifest(manifest.descriptor.digest)).toBe(false);
    expect(await repository.headManifest('1')).toBeUndefined();
  });

  test('a blob of another repository is mounted, and what is not there is uploaded in the session that the mount opened', async () => {
    using rig = openRig();
    const [from, to] = [suite.open(rig, 'team/from'), suite.open(rig, 'team/to')];
    const [blob, other] = [makeBlob(megabyte, 'mounted'), makeBlob(1000, 'not mounted')];
    await from.writeBlob(blob.descriptor, blob.open);
    suite.proxy.reset();
    expect(await to.mountBlob(blob.descriptor.digest, 'team/from')).toBe(true);
    expect(await to.headBlob(blob.descriptor.digest)).toBe(megabyte);
    expect(await to.mountBlob(other.descriptor.digest, 'team/from')).toBe(false);
    await to.writeBlob(other.descriptor, other.open);
    expect(suite.seen()).toEqual(['POST 0 201', 'HEAD 0 200', 'POST 0 202', 'PUT 1000 201']);
  });

  test('an upload that breaks goes on where the registry got to', async () => {
    using rig = openRig({ settings: { chunkBytes: 300_000 } });
    const repository = suite.open(rig, 'team/resumed');
    const blob = makeBlob(megabyte, 'resumed');
    suite.proxy.fault({ method: 'PUT', times: 1, action: { drop: 'before' } });
    suite.proxy.fault({ method: 'PATCH', from: 2, times: 1, action: { drop: 'before' } });
    const sent = countBytes();
    await repository.writeBlob(blob.descriptor, blob.open, sent);
    expect(suite.seen().filter((line) => /^P(UT|ATCH|OST)/.test(line))).toEqual([
      'POST 0 202',
      'PUT 0 0',
      'PATCH 300000 202',
      'PATCH 0 0',
      'PATCH 300000 202',
      'PATCH 300000 202',
      'PATCH 100000 202',
      'PUT 0 201',
    ]);
    expect(sent.total).toBe(megabyte);
    expect(digestOf(await readAll(repository.readBlob(blob.descriptor)))).toBe(blob.descriptor.digest);
  });

  test('a download that breaks goes on by range', async () => {
    using rig = openRig();
    const repository = suite.open(rig, 'team/ranges');
    const blob = makeBlob(megabyte, 'ranges');
    await repository.writeBlob(blob.descriptor, blob.open);
    suite.proxy.reset();
    suite.proxy.fault({ method: 'GET', path: /blobs/, times: 2, action: { cutAnswer: 300_000 } });
    expect((await readAll(repository.readBlob(blob.descriptor))).equals(blob.bytes)).toBe(true);
    expect(suite.proxy.requests.map(({ headers, received }) => [headers.range, received])).toEqual([
      [undefined, 300_000],
      ['bytes=300000-999999', 300_000],
      ['bytes=600000-999999', 400_000],
    ]);
  });
  test('where no range is understood, a download that broke is read from the start', async () => {
    using rig = openRig();
    const repository = suite.open(rig, 'team/no-ranges');
    const blob = makeBlob(megabyte, 'no ranges');
    await repository.writeBlob(blob.descriptor, blob.open);
    suite.proxy.fault({ method: 'GET', path: /blobs/, times: 1, action: { cutAnswer: 300_000 } });
    suite.proxy.fault({ method: 'GET', path: /blobs/, times: 1, action: { answer: { status: 416 } } });
    expect((await readAll(repository.readBlob(blob.descriptor))).equals(blob.bytes)).toBe(true);
  });
  return suite;
}
