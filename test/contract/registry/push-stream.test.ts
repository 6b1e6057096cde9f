import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pushRelease } from '../../../src/actions/release/push/push.ts';
import { extendImage, type Image, scratchImage } from '../../../src/oci/image/image.ts';
import { packLayer } from '../../../src/oci/layer/layer.ts';
import { gatherImages } from '../../../src/oci/layout/image-set.ts';
import { pullImage, readRemote } from '../../../src/registry/image/pull-image.ts';
import { openCli } from '../../support/cli/cli.ts';
import { type FaultProxy, startFaultProxy } from '../../support/network/fault-proxy.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { makeBytes, openRig } from '../../support/registry/registry-rig.ts';
import { startSpecRegistry } from '../../support/registry/spec-registry.ts';
import { hostIn, neverStop, recordProgress } from '../../support/toolchains/host-in.ts';

const dirs = openCli({ ownCache: true });
let registry: TestRegistry;
let proxy: FaultProxy;
beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startFaultProxy(registry.host);
});
beforeEach(() => proxy.reset());
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  dirs[Symbol.dispose]();
});

const largeSize = 5_000_000;

/** A large layer below a small one. */
function makeImage(seed: string, text: string): Image {
  const file = (path: string, bytes: Buffer) => ({
    path,
    type: 'file' as const,
    executable: false,
    content: { bytes, size: bytes.length },
  });
  const layers = [
    packLayer([file('large', makeBytes(largeSize, seed))], { createdBy: 'gbuild layer: large' }),
    packLayer([file('text', Buffer.from(text))], { createdBy: 'gbuild layer: text' }),
  ];
  return extendImage(scratchImage({ os: 'linux', architecture: 'amd64' }), layers, { created: '2026-01-01T00:00:00Z' });
}

/** A push from the machine whose memory lies in that folder. */
async function push(machine: string, release: string, image: Image, at = { front: proxy, host: registry.host }) {
  using rig = openRig({ settings: { chunkBytes: 1_000_000 } });
  const [repository = '', version = ''] = release.split(':');
  const record = await pushRelease({
    host: hostIn(join(dirs.dir, machine)),
    progress: recordProgress(),
    stop: neverStop(),
    registries: rig,
    registry: at.front.host,
    set: gatherImages([image]),
    repository,
    version,
    tags: [],
    runId: version,
    attest: undefined,
  });
  const remote = (await readRemote(rig.repository({ registry: at.host, path: repository }), version))!;
  expect((await pullImage(remote, { tempDir: join(dirs.dir, 'pulled') })).id).toBe(image.id);
  return record;
}

const patches = (of = proxy) => of.requests.filter(({ method }) => method === 'PATCH');
const wireBytes = () => proxy.requests.reduce((sum, { sent }) => sum + sent, 0);

test('a large layer that nobody has seen is sent while it is compressed, in one request', async () => {
  const { bytesSent, layersSent } = await push('first', 'streamed:1.0.0', makeImage('a', 'one'));
  expect(
    patches().map(({ headers, status }) => [headers['transfer-encoding'], headers['content-length'], status]),
  ).toEqual([['chunked', undefined, 202]]);
  expect([layersSent, patches()[0]!.sent > largeSize]).toEqual([2, true]);
  // What is not counted is the version's flag, and the manifest once more under its name.
  expect(wireBytes() - bytesSent).toBeLessThan(2000);
});

test('a large layer that another machine has pushed is not sent', async () => {
  const { layersSent } = await push('second', 'streamed:1.0.1', makeImage('a', 'two'));
  expect([layersSent, wireBytes() < 5000]).toEqual([1, true]);
});

test('one that this machine has compressed before is sent in the same way to another registry’s repository', async () => {
  await push('second', 'elsewhere:1.0.0', makeImage('a', 'two'));
  expect(patches().map(({ status }) => status)).toEqual([202]);
});

test('a layer that breaks on its way is compressed again, and goes on where the registry got to', async () => {
  await using keeps = await startSpecRegistry();
  await using front = await startFaultProxy(keeps.host);
  front.fault({ method: 'PATCH', times: 1, action: { cutUpload: 3_000_000 } });
  await push('first', 'broken:1.0.0', makeImage('b', 'one'), { front, host: keeps.host });
  const [first, ...others] = patches(front).map(({ sent }) => sent);
  expect([first, others.length > 1]).toEqual([3_000_000, true]);
  expect(others.reduce((sum, sent) => sum + sent, 0)).toBeLessThan(largeSize - 2_000_000);
});

test('where the registry has forgotten what came, it is sent in one request', async () => {
  proxy.fault({ method: 'PATCH', times: 1, action: { cutUpload: 3_000_000 } });
  await push('first', 'broken:1.0.0', makeImage('b', 'one'));
  expect(proxy.requests.filter(({ method, sent }) => method === 'PUT' && sent > largeSize)).toHaveLength(1);
});

test('a registry that takes no such request gets the layer in another', async () => {
  proxy.fault({ method: 'PATCH', action: { answer: { status: 411 } } });
  await push('first', 'refused:1.0.0', makeImage('c', 'one'));
  expect(proxy.requests.filter(({ method, sent }) => method === 'PUT' && sent > largeSize)).toHaveLength(1);
});
