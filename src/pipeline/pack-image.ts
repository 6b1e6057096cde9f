import type { Entry } from '../oci/entry.ts';
import { extendImage, type Image } from '../oci/image.ts';
import type { Layer } from '../oci/layer.ts';
import type { Layout } from '../oci/layout.ts';
import type { ImagePlan } from '../plan/image-plan.ts';
import type { Revision } from '../workspace/revision.ts';
import { layersOfStore } from './base-packages.ts';
import { type CollectedRule, collectLayers, collectRules, packRules } from './collect-layers.ts';
import { packChanged } from './pack-changed.ts';
import { printEntries, TreeMemory } from './packed-tree.ts';
import type { PrepareRequest } from './prepare-image.ts';
import type { KnownBase } from './read-base.ts';
import { packWithWritable } from './writable-layer.ts';

export interface PackedImage {
  image: Image;
  /** The image on the engine that it is put on top of, with all its layers. */
  below?: string;
  /** Keeps for next time what was packed, once the engine has it. */
  remember: (engineId: string) => void;
  /** The engine could not take it: next time everything is packed anew. */
  forget: () => void;
}

/**
 * Makes the image a value. A release, and any image of a clean commit, is packed whole, so that its id depends on the
 * commit and the lock alone; one of an uncommitted tree is put on top of the last one where that saves sending it.
 */
export async function packImage(
  request: PrepareRequest & { store: Layout },
  plan: ImagePlan,
  base: KnownBase,
  revision: Revision | undefined,
): Promise<PackedImage> {
  const { session, host } = request;
  // A release is built where nothing lay about: see `withReleaseTree`.
  const isUntouched = plan.version !== undefined && request.build;
  const input = { rootDir: session.rootDir, rules: plan.layers, host, isUntouched };
  // A layer of changes has no owners, so an image with writable folders is packed whole too.
  if (plan.version !== undefined || request.outputs.length > 0 || plan.writable !== undefined) {
    const { writable } = plan;
    const layers =
      writable === undefined
        ? await collectLayers(input)
        : await packWithWritable(await collectRules(input), writable, {
            diffIds: (base.layers ?? []).map(({ diffId }) => diffId),
            open: layersOfStore(request.store),
          });
    return { image: putOn(plan, base, layers), remember: () => {}, forget: () => {} };
  }
  const memory = new TreeMemory(host, session.rootDir, plan.repository);
  const clock = memory.readClock();
  const collected = await collectRules(input);
  const entries = flatten(collected);
  const prints = printEntries(entries, clock);
  const ground = JSON.stringify([base.engineId, plan.layers, request.engine.endpoint.url]);
  const isCommitted = revision !== undefined && revision.dirty.length === 0;
  const onTop = isCommitted ? undefined : await packChanged(request.engine, memory.read(), ground, entries, prints);
  const layers = onTop?.layers ?? (await packRules(collected));
  return {
    image: putOn(plan, base, layers),
    ...(onTop !== undefined && { below: onTop.below }),
    forget: () => memory.forget(),
    remember: (engineId) => {
      const kept = layers.map(({ diffId, size, createdBy }) => ({ diffId, size, createdBy }));
      memory.write({ ground, engineId, layers: kept, deltas: onTop?.deltas ?? 0, prints });
    },
  };
}

/** The application's layers on a base. Pure. */
export function putOn(plan: ImagePlan, base: KnownBase, layers: Layer[]): Image {
  const labels = {
    ...plan.labels,
    'org.opencontainers.image.base.name': plan.base,
    'org.opencontainers.image.base.digest': base.manifestDigest,
  };
  return extendImage(base, layers, { created: plan.created, config: plan.config, labels, annotations: labels });
}

/** What the image shows: of a path in several layers, the uppermost. */
function flatten(collected: CollectedRule[]): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const rule of collected) for (const entry of rule.entries) entries.set(entry.path, entry);
  return entries;
}
