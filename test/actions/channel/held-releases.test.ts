import { writeFileSync } from 'node:fs';
import { createFixture } from 'fs-fixture';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readHeld } from '../../../src/actions/channel/held-releases.ts';
import { rollBack } from '../../../src/actions/channel/rollback.ts';
import { setChannel } from '../../../src/actions/channel/set-channel.ts';
import { openStore } from '../../../src/actions/store/store.ts';
import { listStored, readNamed } from '../../../src/actions/store/stored-releases.ts';
import type { Layout } from '../../../src/oci/layout/layout.ts';
import { type ChannelRig, openChannelRig, seedReleases } from '../../support/registry/channel-rig.ts';

let fixture: Awaited<ReturnType<typeof createFixture>>;
let rig: ChannelRig;
let store: Layout;

beforeEach(async () => {
  fixture = await createFixture();
  rig = openChannelRig(fixture.path);
  await seedReleases(fixture.path);
  store = await openStore(rig.request().host);
});
afterEach(() => fixture.rm());

const set = (version: string) =>
  rig.run((context) => setChannel(context, { channel: 'canary', version, force: false, reason: undefined }));

async function listHeld(): Promise<(string | undefined)[]> {
  const { manifests } = await store.readIndex();
  const findChannel = await readHeld(store, manifests);
  return ['hello:1.0.0', 'hello:1.0.1', 'hello:1.0.2', 'other:1.0.0'].map(findChannel);
}

it('a channel needs what it points at, and what a rollback returns to', async () => {
  expect(await listHeld()).toEqual([undefined, undefined, undefined, undefined]);
  await set('1.0.0');
  expect(await listHeld()).toEqual(['canary', undefined, undefined, undefined]);
  await set('1.0.1');
  await set('1.0.2');
  expect(await listHeld()).toEqual([undefined, 'canary', 'canary', undefined]);
  await rig.run((context) => rollBack(context, { channel: 'canary', reason: undefined }));
  expect(await listHeld()).toEqual(['canary', 'canary', undefined, undefined]);
});

it('a channel that cannot be read needs every release of its name', async () => {
  await set('1.0.0');
  const entry = await store.findManifest('hello:canary.channel-1');
  writeFileSync(store.blobFile(entry!.digest), '{}');
  expect(await listHeld()).toEqual(['canary', 'canary', 'canary', undefined]);
});

it('entries are neither releases nor tags of the store', async () => {
  await set('1.0.0');
  const { manifests } = await store.readIndex();
  const names = (await readNamed(store, manifests)).map(({ reference }) => reference);
  expect(names.sort()).toEqual(['hello:1.0.0', 'hello:1.0.1', 'hello:1.0.2']);
  expect((await listStored(store)).length).toBe(3);
});
