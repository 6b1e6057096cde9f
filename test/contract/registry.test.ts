import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { countBytes, makeBlob, makeManifest, openRig, readAll } from '../support/registry-rig.ts';

let registry: TestRegistry;
let proxy: FaultProxy;

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startFaultProxy(registry.host);
});
beforeEach(() => proxy.reset());
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
});

const megabyte = 1_000_000;
const seen = () => proxy.requests.map(({ method, sent, status }) => `${method} ${sent} ${status}`);
const openRepository = (rig: ReturnType<typeof openRig>, path: string) =>
  rig.repository({ registry: proxy.host, path });

test('an image goes there and comes back, byte by byte', async () => {
  using rig = openRig();
  const repository = openRepository(rig, 'team/there-and-back');
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
  const [from, to] = [openRepository(rig, 'team/from'), openRepository(rig, 'team/to')];
  const [blob, other] = [makeBlob(megabyte, 'mounted'), makeBlob(1000, 'not mounted')];
  await from.writeBlob(blob.descriptor, blob.open);
  proxy.reset();
  expect(await to.mountBlob(blob.descriptor.digest, 'team/from')).toBe(true);
  expect(await to.headBlob(blob.descriptor.digest)).toBe(megabyte);
  expect(await to.mountBlob(other.descriptor.digest, 'team/from')).toBe(false);
  await to.writeBlob(other.descriptor, other.open);
  expect(seen()).toEqual(['POST 0 201', 'HEAD 0 200', 'POST 0 202', 'PUT 1000 201']);
});

test('what refers to an image is found by the tag that stands for the referrers API', async () => {
  using rig = openRig();
  const repository = openRepository(rig, 'team/referrers');
  const config = makeBlob(2, 'config');
  await repository.writeBlob(config.descriptor, config.open);
  const subject = makeManifest(config.descriptor);
  await repository.writeManifest('1', subject.bytes, subject.mediaType);
  expect(await repository.listReferrers(subject.descriptor.digest)).toEqual([]);
  const about = (artifactType: string) =>
    makeManifest(config.descriptor, { artifactType, subject: subject.descriptor, annotations: { of: 'tests' } });
  const [sbom, signature] = [about('application/x.sbom'), about('application/x.signature')];
  const first = await repository.writeReferrer(sbom.bytes, sbom.mediaType);
  await repository.writeReferrer(signature.bytes, signature.mediaType);
  await repository.writeReferrer(signature.bytes, signature.mediaType);
  expect(first).toEqual({
    ...sbom.descriptor,
    artifactType: 'application/x.sbom',
    annotations: { of: 'tests' },
  });
  const all = await repository.listReferrers(subject.descriptor.digest);
  expect(all.map(({ artifactType }) => artifactType)).toEqual(['application/x.sbom', 'application/x.signature']);
  expect(await repository.listReferrers(subject.descriptor.digest, 'application/x.sbom')).toEqual([first]);
  const tag = subject.descriptor.digest.replace(':', '-');
  expect((await repository.listTags()).sort()).toEqual(['1', tag]);
});

test('an upload that breaks goes on where the registry got to', async () => {
  using rig = openRig({ settings: { chunkBytes: 300_000 } });
  const repository = openRepository(rig, 'team/resumed');
  const blob = makeBlob(megabyte, 'resumed');
  proxy.fault({ method: 'PUT', times: 1, action: { drop: 'before' } });
  proxy.fault({ method: 'PATCH', from: 2, times: 1, action: { drop: 'before' } });
  const sent = countBytes();
  await repository.writeBlob(blob.descriptor, blob.open, sent);
  expect(seen().filter((line) => /^P(UT|ATCH|OST)/.test(line))).toEqual([
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

test('an upload that the registry has forgotten starts anew, and one whose last answer was lost is found', async () => {
  using rig = openRig();
  const repository = openRepository(rig, 'team/forgotten');
  const [cut, lost] = [makeBlob(megabyte, 'cut'), makeBlob(megabyte, 'lost')];
  proxy.fault({ method: 'PUT', times: 1, action: { cutUpload: 400_000 } });
  await repository.writeBlob(cut.descriptor, cut.open);
  expect(await repository.headBlob(cut.descriptor.digest)).toBe(megabyte);
  proxy.reset();
  proxy.fault({ method: 'PUT', times: 1, action: { drop: 'after' } });
  await repository.writeBlob(lost.descriptor, lost.open);
  expect(seen()).toEqual(['POST 0 202', 'PUT 1000000 0', 'HEAD 0 200']);
});

test('a download that breaks goes on by range', async () => {
  using rig = openRig();
  const repository = openRepository(rig, 'team/ranges');
  const blob = makeBlob(megabyte, 'ranges');
  await repository.writeBlob(blob.descriptor, blob.open);
  proxy.reset();
  proxy.fault({ method: 'GET', path: /blobs/, times: 2, action: { cutAnswer: 300_000 } });
  expect((await readAll(repository.readBlob(blob.descriptor))).equals(blob.bytes)).toBe(true);
  expect(proxy.requests.map(({ headers, received }) => [headers.range, received])).toEqual([
    [undefined, 300_000],
    ['bytes=300000-', 300_000],
    ['bytes=600000-', 400_000],
  ]);
});
