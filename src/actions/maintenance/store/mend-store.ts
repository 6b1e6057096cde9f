import { existsSync } from 'node:fs';
import { GbuildError, isInfrastructureFailure, messageOf } from '../../../errors.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { Layout } from '../../../oci/layout/layout.ts';
import { nameOf } from '../../../oci/layout/layout-index.ts';
import { adviseOn, describeFault } from './describe-fault.ts';
import { type BlobFault, examineStore, readNamedImages, type StoreHealth } from './examine-store.ts';
import type { Offer } from './offered-blobs.ts';
import { findNames } from './rebuild-index.ts';
import { readSmallBlobs } from './small-blobs.ts';
import {
  type RepairContext,
  type RepairSource,
  takeFromEngine,
  takeFromRegistries,
  takeFromStore,
} from './store-sources.ts';

export interface MendReport {
  /** Sentences that describe the repairs. */
  mended: string[];
  /** Faults that remain, each with its description and the advice. */
  left: { detail: string; todo: string[] }[];
  health: StoreHealth;
}

const sources: RepairSource[] = [takeFromStore, takeFromEngine, takeFromRegistries];

/**
 * Implements `gbuild doctor --fix`: repairs the index first, then every damaged blob from any source that has its
 * bytes. Every replacement is checked by its digest. Only the names in `forget` are removed.
 */
export async function mendStore(context: RepairContext, forget: readonly string[]): Promise<MendReport> {
  const { store } = context;
  if (!existsSync(store.dir)) return { mended: [], left: [], health: nothing };
  const mended = await mendIndex(store);
  for (const name of forget) mended.push(await forgetName(store, name));
  const whole = new Set<Digest>();
  let health = await examineStore(store, whole);
  for (let count = -1; health.faults.length > 0 && count !== mended.length; ) {
    count = mended.length;
    for (const source of sources) {
      if (health.faults.length === 0) break;
      await trySource(source, context, health.faults, mended);
      health = await examineStore(store, whole);
    }
  }
  return { mended, left: await describeLeft(store, health.faults), health };
}

const nothing: StoreHealth = { index: 'whole', named: [], faults: [], blobs: 0 };

async function mendIndex(store: Layout): Promise<string[]> {
  const { index } = await examineIndex(store);
  if (index === 'whole') return [];
  if (index === 'damaged') {
    await store.prepare();
    await store.updateIndex((manifests) => manifests);
    return ['the index was written again from its copy'];
  }
  let unclear: string[] = [];
  let count = 0;
  await store.replaceIndex(async () => {
    const found = await findNames(store);
    unclear = found.unclear;
    count = found.named.length;
    return found.named;
  });
  await store.prepare();
  const hint = unclear.length === 0 ? '' : `; ${unclear.join(', ')} could be several images and got no name`;
  return [
    `the index was lost: ${count} names were found again in the images themselves, moved tags and provenance were not${hint}`,
  ];
}

async function examineIndex(store: Layout): Promise<Pick<StoreHealth, 'index'>> {
  if ((await readNamedImages(store)) === undefined) return { index: 'lost' };
  return { index: (await store.isIndexWhole()) ? 'whole' : 'damaged' };
}

async function forgetName(store: Layout, name: string): Promise<string> {
  if ((await store.findManifest(name)) === undefined)
    throw new GbuildError('usage', `--forget ${name}: the release store has no such name`, {
      suggestions: ['gbuild doctor store'],
      facts: { name },
    });
  await store.removeManifest(name);
  return `${name} was forgotten`;
}

/** Tries a source. A source that does not answer has no blobs. */
async function trySource(
  source: RepairSource,
  context: RepairContext,
  faults: readonly BlobFault[],
  mended: string[],
): Promise<void> {
  const { store, stop, progress } = context;
  const open = new Set(faults);
  try {
    await source(context, faults, async (offered) => {
      for (const fault of open) {
        const offer = offered.get(fault.digest);
        if (offer === undefined || !(await tryOffer(store, fault, offer))) continue;
        open.delete(fault);
        mended.push(`${describeFault(fault)} was written again`);
      }
    });
  } catch (thrown) {
    stop.ask.throwIfAborted();
    if (!isInfrastructureFailure(thrown) || thrown.code === 'disk-failed') throw thrown;
    progress.warn(messageOf(thrown));
  }
}

async function tryOffer(store: Layout, { digest }: BlobFault, { size, chunks }: Offer): Promise<boolean> {
  try {
    await store.replaceBlob(digest, size, chunks());
    return true;
  } catch (thrown) {
    if (isOtherContent(thrown)) return false;
    throw thrown;
  }
}

/**
 * Whether the bytes do not match the digest, or changed while they were read. A disk that refuses them does not count.
 */
function isOtherContent(thrown: unknown): boolean {
  if (!(thrown instanceof GbuildError) || !['store-failed', 'workspace-changed'].includes(thrown.code)) return false;
  const { cause } = thrown;
  return cause instanceof GbuildError || typeof (cause as NodeJS.ErrnoException | undefined)?.code !== 'string';
}

async function describeLeft(store: Layout, faults: readonly BlobFault[]): Promise<MendReport['left']> {
  if (faults.length === 0) return [];
  const blobs = await readSmallBlobs(store);
  const { manifests } = await store.readIndex();
  return faults.map((fault) => ({
    detail: `${describeFault(fault)} is damaged, and none of the places asked has it`,
    todo: fault.names.flatMap((name) => {
      const digest = manifests.find((each) => nameOf(each) === name)?.digest;
      return adviseOn(name, digest, blobs);
    }),
  }));
}
