import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeMark } from '../../../src/fs/writer-mark.ts';
import { type ClaimTimes, nameVersion } from '../../../src/registry/image/claim-version.ts';
import type { Repository } from '../../../src/registry/repository.ts';
import { type FaultProxy, startFaultProxy } from '../../support/network/fault-proxy.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { makeBlob, makeManifest, openRig } from '../../support/registry/registry-rig.ts';

let registry: TestRegistry;
let proxy: FaultProxy;
beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startFaultProxy(registry.host);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const quick: ClaimTimes = { hold: 1000, dead: 400, pause: () => Math.random() * 30 };

/** A manifest in the repository, under its digest alone, and a claim of a version for it. */
async function prepare(repository: Repository, seed: string) {
  const config = makeBlob(100, seed);
  await repository.writeBlob(config.descriptor, config.open);
  const manifest = makeManifest(config.descriptor);
  await repository.writeManifest(manifest.descriptor.digest, manifest.bytes, manifest.mediaType);
  const waits: string[] = [];
  const claim = {
    version: '1.0.0',
    digest: manifest.descriptor.digest,
    claimant: seed,
    signal: new AbortController().signal,
    onWait: (text: string) => void waits.push(text),
  };
  const give = () => repository.writeManifest('1.0.0', manifest.bytes, manifest.mediaType).then(() => undefined);
  return { claim, give, waits };
}

const tagsOf = async (repository: Repository) => (await repository.listTags()).sort();

test('of four who name a version at once one does, again and again, and no flag stays', async () => {
  // The registry fails for a moment where it meets a tag that is being written.
  using rig = openRig({ settings: { sleep: async (milliseconds) => sleep(Math.min(milliseconds, 50)) } });
  for (let round = 0; round < 10; round += 1) {
    const repository = rig.repository({ registry: proxy.host, path: `race/${round}` });
    const agents = await Promise.all(['a', 'b', 'c', 'd'].map((seed) => prepare(repository, `${seed}-${round}`)));
    let given = 0;
    const results = await Promise.all(
      agents.map(({ claim, give }) =>
        nameVersion(
          repository,
          claim,
          () => {
            given += 1;
            return give();
          },
          { ...quick, dead: 20_000 },
        ),
      ),
    );
    expect([given, new Set(results).size]).toEqual([1, 1]);
    expect(await tagsOf(repository)).toEqual(['1.0.0']);
  }
});

test('a flag of somebody dead is waited for, then passed by; one for the same image is in nobody’s way', async () => {
  using rig = openRig();
  const repository = rig.repository({ registry: proxy.host, path: 'dead' });
  const dead = await prepare(repository, 'dead');
  const die = () => Promise.reject(new Error('died'));
  // Its flag is not taken down either.
  proxy.fault({ method: 'DELETE', action: { answer: { status: 500 } } });
  await expect(nameVersion(repository, dead.claim, die, quick)).rejects.toThrow('died');
  proxy.reset();
  expect(await tagsOf(repository)).toEqual(['1.0.0.claim-dead']);
  const same = { ...dead.claim, claimant: 'same' };
  await expect(nameVersion(repository, same, die, quick)).rejects.toThrow('died');
  const living = await prepare(repository, 'living');
  expect(await nameVersion(repository, living.claim, living.give, quick)).toBe(living.claim.digest);
  expect(living.waits).toEqual([`${proxy.host}/dead:1.0.0 is being released by somebody else`]);
});

test('a flag of a process of this machine that has ended is not waited for', async () => {
  using rig = openRig();
  const repository = rig.repository({ registry: proxy.host, path: 'ended' });
  const ended = await prepare(repository, makeMark().replace(/^\d+-\w+/, '4194305-1'));
  proxy.fault({ method: 'DELETE', action: { answer: { status: 500 } } });
  const die = () => Promise.reject(new Error('died'));
  await expect(nameVersion(repository, ended.claim, die, quick)).rejects.toThrow('died');
  proxy.reset();
  const living = await prepare(repository, 'living');
  const patient = { ...quick, dead: 600_000 };
  expect(await nameVersion(repository, living.claim, living.give, patient)).toBe(living.claim.digest);
  expect(living.waits).toEqual([]);
});

test('a registry that deletes nothing keeps flags, which are down, and versions that do not move', async () => {
  using rig = openRig();
  const repository = rig.repository({ registry: proxy.host, path: 'keeps' });
  proxy.fault({ method: 'DELETE', action: { answer: { status: 405 } } });
  const [one, two] = [await prepare(repository, 'one'), await prepare(repository, 'two')];
  expect(await nameVersion(repository, one.claim, one.give, quick)).toBe(one.claim.digest);
  expect(await nameVersion(repository, two.claim, two.give, quick)).toBe(one.claim.digest);
  expect(await tagsOf(repository)).toEqual(['1.0.0', '1.0.0.claim-one', '1.0.0.claim-two']);
  proxy.reset();
});

test('who waits too long between flag and name looks again', async () => {
  using rig = openRig();
  const repository = rig.repository({ registry: proxy.host, path: 'slow' });
  const { claim, give } = await prepare(repository, 'slow');
  let listed = 0;
  const listTags = repository.listTags.bind(repository);
  repository.listTags = async () => {
    listed += 1;
    if (listed === 1) await sleep(150);
    return listTags();
  };
  expect(await nameVersion(repository, claim, give, { ...quick, hold: 100 })).toBe(claim.digest);
  expect(listed).toBe(2);
});
