import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAttached } from '../../../src/actions/inspect/read-attestations.ts';
import { pushRelease } from '../../../src/actions/release/push/push.ts';
import { readRemoteSet } from '../../../src/actions/store/remote-set.ts';
import { GbuildError } from '../../../src/errors.ts';
import { extendImage, type Image, scratchImage } from '../../../src/oci/image/image.ts';
import { packLayer } from '../../../src/oci/layer/layer.ts';
import { gatherImages } from '../../../src/oci/layout/image-set.ts';
import { mapInOrder } from '../../../src/registry/image/map-in-order.ts';
import { pullImage } from '../../../src/registry/image/pull-image.ts';
import { type FaultAction, type FaultProxy, startFaultProxy } from '../network/fault-proxy.ts';
import { hostIn, neverStop, recordProgress } from '../toolchains/host-in.ts';
import { makeBytes, openRig } from './registry-rig.ts';
import { type SpecRegistry, startSpecRegistry } from './spec-registry.ts';

const answer = (status: number, body: string, headers?: Record<string, string>): FaultAction => ({
  answer: { status, body, ...(headers && { headers }) },
});

/** Lies of a registry about one request, or about all from one on. */
const lies: Record<string, FaultAction> = {
  'no answer': { stallAnswer: -1 },
  'half of the answer, then silence': { stallAnswer: 10 },
  'a byte a second': { dripAnswer: true },
  'a closed connection': { drop: 'after' },
  'a connection closed within the answer': { cutAnswer: 10 },
  'HTTP 500': answer(500, ''),
  'no JSON': answer(200, '<html>not what you asked for</html>'),
  'other JSON': answer(200, '{"a":{"b":[1]}}'),
  'created, and nowhere': answer(201, ''),
  'accepted, and nowhere': answer(202, ''),
  'a location that is none': { withHeaders: { location: 'file:///etc/passwd' } },
  'a range that cannot be': { withHeaders: { range: '0-99999999', 'content-range': 'bytes 7-8/9' } },
  'another digest': { withHeaders: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } },
  'damaged bytes': { damage: 'answer' },
  'a redirect in a circle': answer(307, '', { location: '/v2/' }),
  'a login by nothing': answer(401, '', { 'www-authenticate': 'Bearer realm="file:///etc/passwd"' }),
};

/** Whether a lie is combined with a request: lies are numbered from 0, requests from 1. */
export type Meets = (lie: number, request: number) => boolean;

/** Number of requests with a lie: one, or every request from one on. */
const spans = { once: 1, 'from then on': Number.POSITIVE_INFINITY };

const hasty = { settings: { stallSeconds: 1, attempts: 3 } };

/** Number of runs at the same time: most of them wait. */
const atOnce = 24;

/** Milliseconds within which everything must end, with limits of a thirtieth of gbuild's own. */
const mostMilliseconds = 120_000;

/** Pushes to a registry, and reads from one, that lies at one request or from one on. */
export function describeRegistryLies(meets: Meets): void {
  const dir = mkdtempSync(join(tmpdir(), 'gbuild-lies-'));
  let registry: SpecRegistry;
  let turn = 0;
  let told = 0;
  const image: Image = extendImage(
    scratchImage({ os: 'linux', architecture: 'amd64' }),
    [makeLayer('large', makeBytes(1_300_000)), makeLayer('text', Buffer.from('text'))],
    { created: '2026-01-01T00:00:00Z' },
  );

  beforeAll(async () => {
    registry = await startSpecRegistry();
    await push(registry.host, 'read');
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
    process.stderr.write(`registry lies: ${told} told\n`);
  });

  /** Pushes with a client that does not sleep, and checks that no temporary file is left. */
  async function push(host: string, repository: string, limits: object = {}): Promise<void> {
    using rig = openRig(limits);
    turn += 1;
    const machine = hostIn(join(dir, `cache-${turn}`));
    try {
      await pushRelease({
        host: machine,
        progress: recordProgress(),
        stop: neverStop(),
        registries: rig,
        registry: host,
        set: gatherImages([image]),
        repository,
        version: '1.0.0',
        tags: ['latest'],
        runId: `turn-${turn}`,
        attest: { facts: undefined, keyFile: undefined, toolVersion: '0.0.0' },
      });
    } finally {
      const temporary = join(machine.cacheDir, 'spool');
      expect(existsSync(temporary) ? readdirSync(temporary) : []).toEqual([]);
    }
  }

  /** Pulls everything of a release: image, layers, and attachments. */
  async function pull(host: string, limits: object = {}): Promise<void> {
    using rig = openRig(limits);
    turn += 1;
    const set = await readRemoteSet(rig.repository({ registry: host, path: 'read' }), '1.0.0');
    if (set === undefined) return;
    const tempDir = join(dir, `pulled-${turn}`);
    for (const remote of set.images) expect((await pullImage(remote, { tempDir })).id).toBe(image.id);
    await readAttached(set);
  }

  /** Asserts that a name has everything that it refers to; it may be missing where the push failed. */
  async function assertNamed(path: string, mustBe: boolean): Promise<void> {
    using rig = openRig();
    const repository = rig.repository({ registry: registry.host, path });
    for (const tag of ['1.0.0', 'latest']) {
      const found = await readRemoteSet(repository, tag);
      if (found === undefined && !mustBe) continue;
      expect([tag, found?.images[0]?.manifest.config.digest]).toEqual([tag, image.id]);
      for (const { digest, size } of found!.images[0]!.manifest.layers)
        expect([tag, await repository.headBlob(digest)]).toEqual([tag, size]);
    }
  }

  /** Returns the end of work with a lying registry: success or exit code 3; never another code, and never no end. */
  async function endOf(work: () => Promise<void>): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const never = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('it did not end'), mostMilliseconds);
    });
    const end = work().then(
      () => 'well',
      (thrown: unknown) => (thrown instanceof GbuildError && thrown.exitCode === 3 ? 'exit code 3' : thrown),
    );
    try {
      return await Promise.race([end, never]);
    } finally {
      clearTimeout(timer);
    }
  }

  async function countRequests(work: (host: string) => Promise<void>): Promise<number> {
    await using proxy = await startFaultProxy(registry.host);
    await work(proxy.host);
    return proxy.requests.length;
  }

  async function tell(lie: string, at: number, times: number, work: (proxy: FaultProxy) => Promise<void>) {
    await using proxy = await startFaultProxy(registry.host);
    proxy.fault({ from: at, times, action: lies[lie]! });
    told += 1;
    return await endOf(() => work(proxy));
  }

  const choose = (requests: number) =>
    Object.keys(lies).flatMap((lie, number) =>
      Array.from({ length: requests }, (_, index) => index + 1)
        .filter((request) => meets(number, request))
        .map((at) => ({ lie, at })),
    );

  describe.each(Object.entries(spans))('%s', { timeout: 1_800_000 }, (span, times) => {
    test('a push ends well or with exit code 3, names nothing or all of it, and the next one is right', async () => {
      const requests = await countRequests((host) => push(host, `counted-${times}`));
      expect(requests).toBeGreaterThan(15);
      const faults = await mapInOrder(choose(requests), atOnce, async ({ lie, at }) => {
        const repository = `${times}/${lie.replaceAll(/\W+/g, '-').toLowerCase()}/${at}`;
        const end = await tell(lie, at, times, (proxy) => push(proxy.host, repository, hasty));
        const named = await findFault(() => assertNamed(repository, end === 'well'));
        const again = await findFault(async () => {
          await push(registry.host, repository);
          await assertNamed(repository, true);
        });
        return describeFaults(`${lie}, ${span}, request ${at}`, [end, named, again]);
      });
      expect(faults.flat()).toEqual([]);
    });

    test('reading ends well or with exit code 3', async () => {
      const requests = await countRequests((host) => pull(host));
      expect(requests).toBeGreaterThan(5);
      const faults = await mapInOrder(choose(requests), atOnce, async ({ lie, at }) =>
        describeFaults(`${lie}, ${span}, request ${at}`, [
          await tell(lie, at, times, (proxy) => pull(proxy.host, hasty)),
        ]),
      );
      expect(faults.flat()).toEqual([]);
    });
  });
}

async function findFault(work: () => Promise<void>): Promise<unknown> {
  return work().then(
    () => 'well',
    (thrown: unknown) => thrown,
  );
}

function describeFaults(what: string, ends: unknown[]): string[] {
  const wrong = ends.filter((end) => end !== 'well' && end !== 'exit code 3');
  return wrong.map((end) => `${what}: ${end instanceof Error ? end.stack : end}`);
}

function makeLayer(path: string, bytes: Buffer) {
  const content = { bytes, size: bytes.length };
  return packLayer([{ path, type: 'file' as const, executable: false, content }], {
    createdBy: `gbuild layer: ${path}`,
  });
}
