import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushRelease } from '../../../src/actions/release/push/push.ts';
import { readRemoteSet } from '../../../src/actions/store/remote-set.ts';
import { nameImage } from '../../../src/actions/store/store.ts';
import { extendImage, type Image, scratchImage } from '../../../src/oci/image/image.ts';
import { packLayer } from '../../../src/oci/layer/layer.ts';
import { writeImage } from '../../../src/oci/layout/copy.ts';
import { gatherImages, type ImageSet } from '../../../src/oci/layout/image-set.ts';
import { openLayout } from '../../../src/oci/layout/layout.ts';
import { mapInOrder } from '../../../src/registry/image/map-in-order.ts';
import { pullImage, readRemote } from '../../../src/registry/image/pull-image.ts';
import { openCli } from '../cli/cli.ts';
import { type Fault, type FaultAction, type FaultProxy, startFaultProxy } from '../network/fault-proxy.ts';
import { hostIn, neverStop, recordProgress } from '../toolchains/host-in.ts';
import { startRegistry, type TestRegistry } from './registry.ts';
import { makeBytes, openRig } from './registry-rig.ts';

/** Whether a kind of fault is combined with a request of a push; kinds are numbered from 0, requests from 1. */
export type Meets = (kind: number, request: number) => boolean;

/** Kinds that do not concern the answer or connection of one request. */
const lasting = { dies: 7, diesAtIndex: 8, killed: 9 };

const passing: Record<string, FaultAction> = {
  'a connection that closes before the request is read': { drop: 'before' },
  'a connection that closes in place of the answer': { drop: 'after' },
  'a body that is cut': { cutUpload: 100 },
  'an answer 500': { answer: { status: 500 } },
  'an answer 503 with Retry-After': { answer: { status: 503, headers: { 'Retry-After': '1' } } },
  'an answer 429': { answer: { status: 429 } },
  'an answer that never comes': { stallAnswer: -1 },
};

const atOnce = 4;

/** Pushes to a real registry behind a proxy that disturbs one request of each push. */
export function describePushFaults(meets: Meets): void {
  const cli = openCli({ ownCache: true });
  let registry: TestRegistry;
  /** Release, and another one that claims the same version. */
  let image: Image;
  let rival: Image;

  beforeAll(async () => {
    registry = await startRegistry();
    [image, rival] = [makeImage('ours'), makeImage('theirs')];
    const store = await openLayout(join(cli.dataDir, 'store'));
    await writeImage(store, image);
    await nameImage(store, image, 'faults:1.0.0', {});
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    cli[Symbol.dispose]();
  });

  /** Makes an image of two layers; one is so large that it is sent while it is compressed. */
  function makeImage(text: string): Image {
    const file = (path: string, bytes: Buffer) => ({
      path,
      type: 'file' as const,
      executable: false,
      content: { bytes, size: bytes.length },
    });
    const layers = [
      packLayer([file('large', makeBytes(1_700_000))], { createdBy: 'gbuild layer: large' }),
      packLayer([file('text', Buffer.from(text))], { createdBy: 'gbuild layer: text' }),
    ];
    return extendImage(scratchImage({ os: 'linux', architecture: 'amd64' }), layers, {
      created: '2026-01-01T00:00:00Z',
    });
  }

  let turn = 0;
  /** Cache folders that no push uses at present. */
  const free: string[] = [];

  /**
   * Pushes once in this process, with a client that does not sleep between tries; every second push finds compressed
   * layers.
   */
  async function push(host: string, repository: string, what: Image | ImageSet = image, stallSeconds = 60) {
    using rig = openRig({ settings: { stallSeconds, attempts: 3 } });
    turn += 1;
    const cacheDir = (turn % 2 === 0 ? free.pop() : undefined) ?? join(cli.dir, `cache-${turn}`);
    try {
      return await pushRelease({
        host: hostIn(cacheDir),
        progress: recordProgress(),
        stop: neverStop(),
        registries: rig,
        registry: host,
        set: 'images' in what ? what : gatherImages([what]),
        repository,
        version: '1.0.0',
        tags: ['latest'],
        runId: `turn-${turn}`,
        attest: { facts: undefined, keyFile: undefined, toolVersion: '0.0.0' },
      });
    } finally {
      free.push(cacheDir);
    }
  }

  /** Returns the id of the tagged image, without any fault. */
  async function readTag(repository: string, tag: string): Promise<string | undefined> {
    const accept = 'application/vnd.oci.image.manifest.v1+json';
    const at = (rest: string) => `http://${registry.host}/v2/${repository}/${rest}`;
    const answer = await fetch(at(`manifests/${tag}`), { headers: { accept } });
    if (answer.status === 404) return undefined;
    const manifest = (await answer.json()) as Image['manifest'];
    for (const { digest, size } of [manifest.config, ...manifest.layers]) {
      const blob = await fetch(at(`blobs/${digest}`), { method: 'HEAD' });
      expect([blob.status, Number(blob.headers.get('content-length'))]).toEqual([200, size]);
    }
    return manifest.config.digest;
  }

  /** Counts the requests of a push without faults. */
  async function countRequests(repository: string, what: Image | ImageSet = image): Promise<number> {
    await using proxy = await startFaultProxy(registry.host);
    await push(proxy.host, repository, what);
    return proxy.requests.length;
  }

  /** Pushes through a proxy that disturbs one request; each push has a separate proxy and repository. */
  async function disturb<T>(fault: Fault, work: (host: string, proxy: FaultProxy) => Promise<T>): Promise<T> {
    await using proxy = await startFaultProxy(registry.host);
    proxy.fault(fault);
    return await work(proxy.host, proxy);
  }

  test('what was pushed is pulled as the same image, and one whose layer is another is refused', async () => {
    await push(registry.host, 'pulled');
    using rig = openRig();
    const repository = rig.repository({ registry: registry.host, path: 'pulled' });
    const remote = (await readRemote(repository, '1.0.0'))!;
    const pulled = await pullImage(remote, { tempDir: join(cli.dir, 'pulled') });
    expect([pulled.id, pulled.manifestDigest]).toEqual([image.id, image.manifestDigest]);
    expect(pulled.layers.map(({ diffId, size, createdBy }) => ({ diffId, size, createdBy }))).toEqual(
      image.layers.map(({ diffId, size, createdBy }) => ({ diffId, size, createdBy })),
    );
    const swapped = { ...remote, manifest: { ...remote.manifest, layers: [...remote.manifest.layers].reverse() } };
    await expect(pullImage(swapped, { tempDir: join(cli.dir, 'swapped') })).rejects.toThrow(
      /pulled: the layer sha256:\w+ unpacks to sha256:\w+, but the image's config says sha256:/,
    );
    expect(readdirSync(join(cli.dir, 'swapped'))).toEqual([]);
    expect(await readRemote(repository, 'nothing')).toBeUndefined();
  });

  describe('a push', { timeout: 600_000 }, () => {
    let total = 0;
    let requests = 0;
    /** Does the work for each request that a kind is combined with; most of a push is waiting for the registry. */
    const forEach = (kind: number, count: number, work: (at: number) => Promise<void>) =>
      mapInOrder(
        Array.from({ length: count }, (_, index) => index + 1).filter((request) => meets(kind, request)),
        atOnce,
        async (at) => {
          await work(at);
          total += 1;
        },
      );
    beforeAll(async () => {
      requests = await countRequests('undisturbed');
      expect(await readTag('undisturbed', '1.0.0')).toBe(image.id);
      expect(requests).toBeGreaterThan(15);
    });
    afterAll(
      () => void process.stderr.write(`push faults: ${total} pushes disturbed, each at one of ${requests} requests\n`),
    );

    test.each(Object.entries(passing))('gets over %s, whichever request it meets', async (kind, action) => {
      const number = Object.keys(passing).indexOf(kind);
      await forEach(number, requests, async (at) => {
        const repository = `once-${number}/${at}`;
        // Two seconds where the push waits for them: parallel pushes take a part of them.
        const stallSeconds = action.stallAnswer === undefined ? undefined : 2;
        const { alreadyReleased } = await disturb({ from: at, times: 1, action }, (host) =>
          push(host, repository, image, stallSeconds),
        );
        expect([at, alreadyReleased]).toEqual([at, false]);
        expect([await readTag(repository, '1.0.0'), await readTag(repository, 'latest')]).toEqual([image.id, image.id]);
      });
    });

    test('to a registry that dies at any request fails whole, and is right when it is there again', async () => {
      await forEach(lasting.dies, requests, async (at) => {
        const repository = `dies/${at}`;
        const failure = await disturb({ from: at, action: { answer: { status: 502 } } }, (host) =>
          push(host, repository).then(
            () => undefined,
            (error: { code: string }) => error.code,
          ),
        );
        // Requests after the last name only clean up.
        if (failure !== undefined) expect(failure).toBe('registry-failed');
        expect([undefined, image.id]).toContain(await readTag(repository, '1.0.0'));
        await push(registry.host, repository);
        expect(await readTag(repository, '1.0.0')).toBe(image.id);
        await expect(push(registry.host, repository, rival)).rejects.toThrow('is released already');
        expect(await readTag(repository, '1.0.0')).toBe(image.id);
      });
    });

    test('of an index to a registry that dies at any request names nothing or all of it', async () => {
      const other = extendImage(scratchImage({ os: 'linux', architecture: 'arm64' }), image.layers, {
        created: '2024-05-06T07:08:09Z',
      });
      const set = gatherImages([image, other]);
      const ids = set.images.map(({ id }) => id);
      using rig = openRig();
      const readIds = async (path: string) => {
        const found = await readRemoteSet(rig.repository({ registry: registry.host, path }), '1.0.0');
        return found?.images.map(({ manifest }) => manifest.config.digest);
      };
      const all = await countRequests('index/whole', set);
      expect(all).toBeGreaterThan(requests);
      await forEach(lasting.diesAtIndex, all, async (at) => {
        await disturb({ from: at, action: { answer: { status: 502 } } }, (host) =>
          push(host, `index/${at}`, set).catch((error: { code: string }) => expect(error.code).toBe('registry-failed')),
        );
        expect([undefined, ids]).toContainEqual(await readIds(`index/${at}`));
        await push(registry.host, `index/${at}`, set);
        expect(await readIds(`index/${at}`)).toEqual(ids);
      });
      const over = push(registry.host, 'index/whole', image);
      await expect(over).rejects.toThrow('is released already for linux/amd64 and linux/arm64');
    });

    test('that is killed at any request leaves no half release, and the next one ends it', async () => {
      const store = await openLayout(join(cli.dataDir, 'store'));
      await forEach(lasting.killed, requests, async (at) => {
        const repository = `killed/${at}`;
        await nameImage(store, image, `${repository}:1.0.0`, {});
        const push = (host: string) => ['push', `${repository}:1.0.0`, '--registry', host, '--tag', 'latest'];
        await disturb({ from: at, action: { stallAnswer: -1 } }, async (host, proxy) => {
          const running = cli.start(push(host));
          while (proxy.requests.length < at) await sleep(5);
          // Requests in flight arrive.
          await sleep(20);
          running.kill('SIGKILL');
          expect((await running.ended).exitCode).toBe('SIGKILL');
        });
        expect([undefined, image.id]).toContain(await readTag(repository, '1.0.0'));
        const again = await cli.run(push(registry.host));
        expect(again.exitCode, again.stderr).toBe(0);
        expect([await readTag(repository, '1.0.0'), await readTag(repository, 'latest')]).toEqual([image.id, image.id]);
      });
    });
  });
}
