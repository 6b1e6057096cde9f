import type { Engine, SweepReport } from '../engine/engine.ts';
import { sweepLocks } from '../toolchain/builder-lock.ts';
import { openStore } from './release-store.ts';
import { sweepSpools } from './spools.ts';
import type { Places } from './workspace-session.ts';

/** The story of `gbuild clean`: what dead runs left on the engine, in the release store and in the cache; not what one may attach to. */
export async function cleanUp({ host }: Places, engine: Engine): Promise<SweepReport & { files: string[] }> {
  const store = await openStore(host);
  const files = [...(await store.sweep()), ...sweepSpools(host, engine.owner), ...sweepLocks(host, engine.owner)];
  return { ...(await engine.sweep()), files };
}
