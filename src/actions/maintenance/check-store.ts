import { existsSync } from 'node:fs';
import type { Engine } from '../../engine/engine.ts';
import { GbuildError, messageOf } from '../../errors.ts';
import type { Host, Stop } from '../../host.ts';
import type { Progress } from '../../reporter/progress.ts';
import type { AppContext } from '../session/context.ts';
import type { EngineChoice } from '../session/engine-choice.ts';
import { findWorkspace } from '../session/find-workspace.ts';
import { openEngine } from '../session/open-engine.ts';
import { parseRegistry } from '../session/registry-name.ts';
import { readUserConfig } from '../session/user-config.ts';
import { storeAsItIs } from '../store/store.ts';
import type { Check } from './check.ts';
import { describeFault } from './store/describe-fault.ts';
import { examineStore, type StoreHealth } from './store/examine-store.ts';
import { mendStore } from './store/mend-store.ts';

/** Options of `gbuild doctor --fix` for the store. */
export interface FixRequest {
  progress: Progress;
  stop: Stop;
  runId: string;
  /** Registry to ask in addition to those that the environment, gbuild.yml and config.yml name. */
  registry: string | undefined;
  /** Names to remove from the store. */
  forget: string[];
}

const mostShown = 5;

/** Reads every byte of the store that a name reaches; changes nothing. */
export async function checkStore({ host }: { host: Host }): Promise<Check> {
  const store = storeAsItIs(host);
  if (!existsSync(store.dir)) return { name: 'store', state: 'ok', detail: 'nothing is released here yet', todo: [] };
  const health = await examineStore(store);
  const wrong = [
    ...(health.index === 'damaged' ? ['its index is damaged, its copy is intact'] : []),
    ...(health.index === 'lost' ? ['its index and the copy of it cannot be read'] : []),
    ...health.faults.map((fault) => `${describeFault(fault)} is damaged`),
  ];
  if (wrong.length === 0) return whole(store.dir, health);
  const more = wrong.length > mostShown ? `; and ${wrong.length - mostShown} more` : '';
  const detail = `${store.dir}: ${wrong.slice(0, mostShown).join('; ')}${more}`;
  return { name: 'store', state: 'problem', detail, todo: ['gbuild doctor --fix'] };
}

/** Repairs the store from itself, the engine and registries. */
export async function fixStore(
  context: Omit<AppContext, 'progress'>,
  choice: EngineChoice,
  fix: FixRequest,
): Promise<Check> {
  const { host } = context;
  const { progress, stop, runId, registry, forget } = fix;
  const store = storeAsItIs(host);
  const engine = await openIfAny(() => openEngine(host, choice, runId, progress, stop), progress);
  try {
    const registries = await listRegistries(context, registry);
    const { mended, left, health } = await mendStore({ store, host, progress, stop, engine, registries }, forget);
    if (left.length === 0) {
      const done = mended.length === 0 ? '' : `; ${mended.join('; ')}`;
      const { detail } = whole(store.dir, health);
      return { name: 'store', state: 'ok', detail: `${detail}${done}`, todo: [] };
    }
    const detail = [...mended, ...left.map((each) => each.detail)].join('; ');
    return { name: 'store', state: 'problem', detail, todo: [...new Set(left.flatMap(({ todo }) => todo))] };
  } finally {
    engine?.close();
  }
}

function whole(dir: string, { named, blobs }: StoreHealth): Check {
  return {
    name: 'store',
    state: 'ok',
    detail: `${named.length} names in ${dir}, ${blobs} blobs, all intact`,
    todo: [],
  };
}

/** Opens the engine, if there is one: without it the repair has one source less. */
async function openIfAny(open: () => Promise<Engine>, progress: Progress): Promise<Engine | undefined> {
  let engine: Engine | undefined;
  try {
    engine = await open();
    await engine.wake();
    await engine.info();
    return engine;
  } catch (thrown) {
    engine?.close();
    if (!(thrown instanceof GbuildError) || thrown.code === 'usage') throw thrown;
    progress.warn(messageOf(thrown));
    return undefined;
  }
}

/** Lists registries to ask. A repository around the caller that cannot be read is ignored. */
async function listRegistries(context: Omit<AppContext, 'progress'>, registry: string | undefined): Promise<string[]> {
  const session = await findWorkspace(context).catch(() => undefined);
  const named = [registry, context.host.env.GBUILD_REGISTRY, session?.spec.registry].filter((each) => each);
  const known = Object.keys((await readUserConfig(context.host)).registries);
  return [...new Set([...named.map((each) => parseRegistry(each!)), ...known])];
}
