import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkStore } from '../../../src/actions/maintenance/check-store.ts';
import { examineStore } from '../../../src/actions/maintenance/store/examine-store.ts';
import { mendStore } from '../../../src/actions/maintenance/store/mend-store.ts';
import { pushStored } from '../../../src/actions/release/push/push-stored.ts';
import { openStore, storeAsItIs, storeDir } from '../../../src/actions/store/store.ts';
import { connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import type { Layout } from '../../../src/oci/layout/layout.ts';
import { endpointOf } from '../engines/endpoint-of.ts';
import { FakeEngine } from '../engines/fake-engine.ts';
import { type SpecRegistry, startSpecRegistry } from '../registry/spec-registry.ts';
import { hostIn, neverStop, recordProgress } from '../toolchains/host-in.ts';
import { base, damages, keepBase, keepRelease, listFiles, makeRelease, saveAs } from './store-release.ts';

export const oneImage = makeRelease('1.0.0');
const two = [makeRelease('2.0.0'), makeRelease('2.0.0', { architecture: 'arm64' })];

/** Names in the index of the suite's store. */
export const names = [`gbuild-base:${base.id.slice(7)}`, 'hello:1.0.0', 'hello:2.0.0', 'hello:latest'];
export const wholeStore = { index: 'whole', faults: [], names };

let fixture: Awaited<ReturnType<typeof createFixture>>;
let fake: FakeEngine;
let engine: Engine;
let registry: SpecRegistry;

/**
 * Opens a store with a base, a release, one for two platforms and a tag; an engine and a registry have the same images.
 */
export function openMending(): void {
  beforeAll(async () => {
    fixture = await createFixture();
    const host = hostIn(fixture.getPath('whole'));
    const store = await openStore(host);
    await keepBase(store);
    await keepRelease(store, 'hello:1.0.0', oneImage);
    await keepRelease(store, 'hello:2.0.0', ...two);
    await keepRelease(store, 'hello:latest', oneImage);
    fake = await FakeEngine.start();
    fake.savedImages.push(saveAs(base), ...[oneImage, ...two].map((image, at) => saveAs(image, `hello:${at}`)));
    engine = connectEngine(endpointOf(fake.host), { owner: readOwner(), runId: 'mend' });
    registry = await startSpecRegistry();
    const common = { host, progress: recordProgress(), stop: neverStop(), installDir: process.cwd() };
    const what = { tags: [], runId: 'mend', registry: registry.host, keyFile: undefined, attest: false };
    for (const release of ['hello:1.0.0', 'hello:2.0.0']) await pushStored({ ...common, ...what, release });
  });
  afterAll(async () => {
    engine.close();
    await fake[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await fixture.rm();
  });
}

/** Copies the intact store. */
export function copyStore(name: string) {
  const host = hostIn(fixture.getPath(name));
  rmSync(storeDir(host), { recursive: true, force: true });
  cpSync(storeDir(hostIn(fixture.getPath('whole'))), storeDir(host), { recursive: true });
  return { host, store: storeAsItIs(host) };
}

export function mend(
  { host, store }: ReturnType<typeof copyStore>,
  from: { engine?: Engine; registries?: string[] } = {},
  forget: string[] = [],
) {
  const progress = recordProgress();
  const context = { store, host, progress, stop: neverStop(), engine: from.engine, registries: from.registries ?? [] };
  return mendStore(context, forget);
}

export async function contentOf(store: Layout) {
  const { index, faults, named } = await examineStore(store);
  return { index, faults, names: named.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name']) };
}

/** Damages each kind of file of a store in each way, and has it repaired from the sources that `isWanted` chooses. */
export function describeMending(isWanted: (way: number, file: number, source: number) => boolean): void {
  openMending();
  let mends = 0;
  describe.each(Object.entries(damages).map(([way, damage], at) => ({ way, damage, at })))(
    'a store with a file that is damaged ($way)',
    ({ damage, at }) => {
      it('is mended whatever file that is, by the engine as by a registry', async () => {
        const files = listFiles(storeDir(hostIn(fixture.getPath('whole'))));
        const sources = [{ engine }, { registries: [registry.host] }];
        expect(files.length).toBe(15);
        for (const [source, from] of sources.entries())
          for (const [number, path] of files.entries()) {
            // The base was not pushed under its name: only the engine has its config and manifest.
            const isOfBase = [base.id, base.manifestDigest].some((digest) => path.endsWith(digest.slice(7)));
            if (!isWanted(at, number, source) || (source === 1 && isOfBase)) continue;
            const copy = copyStore('copy');
            damage(join(copy.store.dir, path));
            await mend(copy, from);
            expect([path, await contentOf(copy.store)]).toEqual([path, wholeStore]);
            mends += 1;
          }
      });

      it('is called damaged by doctor, which changes nothing', async () => {
        const files = listFiles(storeDir(hostIn(fixture.getPath('whole'))));
        for (const [number, path] of files.entries()) {
          if (!isWanted(at, number, 0)) continue;
          const { host, store } = copyStore('copy');
          damage(join(store.dir, path));
          const before = listFiles(store.dir);
          const check = await checkStore({ host });
          expect([path, check.state, check.todo]).toEqual([path, 'problem', ['gbuild doctor --fix']]);
          expect(listFiles(store.dir)).toEqual(before);
        }
      });
    },
  );
  afterAll(() => console.log(`${mends} damaged files of a release store were mended`));
}
