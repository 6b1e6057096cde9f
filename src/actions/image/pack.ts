import { extendImage, type Image } from '../../oci/image/image.ts';
import type { Layer } from '../../oci/layer/layer.ts';
import type { Layout } from '../../oci/layout/layout.ts';
import type { Entry } from '../../oci/tar/entry.ts';
import type { ImagePlan } from '../../plan/image-plan.ts';
import type { Revision } from '../../workspace/commit/revision.ts';
import { layersOfStore } from '../store/open-layers.ts';
import { assertStarts } from './assert-starts.ts';
import type { KnownBase } from './base/read-base.ts';
import { collectRules, flattenRules, packRules } from './collect-layers.ts';
import { packChanged } from './pack-changed.ts';
import { fingerprintEntries, TreeMemory } from './packed-tree.ts';
import type { PrepareImageRequest } from './prepare-image-request.ts';
import { packWithWritable } from './writable-layer.ts';

export interface PackedImage {
  image: Image;
  /** Image on the engine that holds all layers below the changes. */
  below?: string;
  /** Records what was packed, once the engine has it. */
  remember: (engineId: string) => void;
  /** Drops the record when the engine refuses the image: the next run packs everything. */
  forget: () => void;
  /** Packs the same tree without `below`, for an engine that has lost that image. */
  packWhole?: () => Promise<PackedImage>;
}

/** Parts of an image, and the bases of its other platforms. */
export interface PackInput {
  plan: ImagePlan;
  base: KnownBase;
  platformBases: readonly KnownBase[];
  revision: Revision | undefined;
}

/**
 * Packs the image as a value, once it is known to start. A release and any image of a clean commit are packed whole:
 * their id depends on the commit and the lock alone. The image of an uncommitted tree is put on top of the last one
 * where that saves sending it.
 *
 * @throws GbuildError `output-missing` where a layer is empty, or the image could not start
 */
export async function packImage(
  request: PrepareImageRequest & { store: Layout },
  input: PackInput,
): Promise<PackedImage> {
  const { session, host, store } = request;
  const { plan, base, revision } = input;
  // A layer of changes records no owners, so an image with writable folders is packed whole too.
  const isWhole = plan.version !== undefined || request.outputs.length > 0 || plan.writable !== undefined;
  const memory = new TreeMemory(host, session.rootDir, plan.repository);
  const clock = isWhole ? 0n : memory.readClock();
  // A release is built in a clean checkout: see `withReleaseTree`.
  const isUntouched = plan.version !== undefined && request.build;
  const collected = await collectRules({ rootDir: session.rootDir, rules: plan.layers, host, isUntouched });
  const entries = flattenRules(collected);
  await assertImageStarts(request, input, entries);
  if (isWhole) {
    const below = { diffIds: (base.layers ?? []).map(({ diffId }) => diffId), open: layersOfStore(store) };
    const layers = await (plan.writable === undefined
      ? packRules(collected)
      : packWithWritable(collected, plan.writable, below));
    return { image: putOn(plan, base, layers), remember: () => {}, forget: () => {} };
  }
  const fingerprints = fingerprintEntries(entries, clock);
  const basis = JSON.stringify([base.engineId, plan.layers, request.engine.endpoint.url]);
  const isCommitted = revision !== undefined && revision.dirty.length === 0;
  const onTop = isCommitted
    ? undefined
    : await packChanged(request.engine, memory.read(), basis, entries, fingerprints);
  const give = (layers: Layer[], deltas: number): PackedImage => ({
    image: putOn(plan, base, layers),
    forget: () => memory.forget(),
    remember: (engineId) => {
      const kept = layers.map(({ diffId, size, createdBy }) => ({ diffId, size, createdBy }));
      memory.write({ basis, engineId, layers: kept, deltas, fingerprints });
    },
  });
  const packWhole = async () => give(await packRules(collected), 0);
  return onTop === undefined ? packWhole() : { ...give(onTop.layers, onTop.deltas), below: onTop.below, packWhole };
}

function assertImageStarts(
  { session, host, store }: PrepareImageRequest & { store: Layout },
  { plan, base, platformBases }: PackInput,
  entries: ReadonlyMap<string, Entry>,
): Promise<void> {
  const { reference, config } = plan;
  return assertStarts({
    reference,
    config,
    entries,
    bases: [base, ...platformBases],
    store,
    host,
    explain: async (fault) => {
      const { explainMissing } = await import('./explain-missing.ts');
      return explainMissing(fault, { session, env: host.env, plan, entries });
    },
  });
}

/** Puts the application's layers on a base. Pure. */
export function putOn(plan: ImagePlan, base: KnownBase, layers: Layer[]): Image {
  const labels = {
    ...plan.labels,
    'org.opencontainers.image.base.name': plan.base,
    'org.opencontainers.image.base.digest': base.manifestDigest,
  };
  return extendImage(base, layers, { created: plan.created, config: plan.config, labels, annotations: labels });
}
