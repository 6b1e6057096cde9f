import type { Engine } from '../../engine/engine.ts';
import { GbuildError } from '../../errors.ts';
import { type Layer, packLayer } from '../../oci/layer/layer.ts';
import type { Entry, Whiteout } from '../../oci/tar/entry.ts';
import { type Delta, planDelta } from '../../plan/delta.ts';
import type { PackedTree } from './packed-tree.ts';

/** The image below the changes is gone from the engine: another run has moved its name. */
export class LostLayerError extends GbuildError {}

/** Limits above which the image is packed whole: many layers slow an image down, and a large delta saves nothing. */
const mostDeltas = 20;
const mostDeltaBytes = 64e6;

/**
 * Returns the layers of the last packed image with one layer of the changes on top. Undefined where one layer cannot
 * express the changes or the engine lost the image. For development images of uncommitted trees only: their id makes no
 * promise about a commit, and one file is sent instead of its whole layer.
 */
export async function packChanged(
  engine: Engine,
  last: PackedTree | undefined,
  basis: string,
  entries: ReadonlyMap<string, Entry>,
  fingerprints: ReadonlyMap<string, string>,
): Promise<{ layers: Layer[]; deltas: number; below: string } | undefined> {
  if (last === undefined || last.basis !== basis || last.deltas >= mostDeltas) return undefined;
  const delta = planDelta(last.fingerprints, fingerprints);
  if (delta === undefined || bytesOf(delta, entries) > mostDeltaBytes) return undefined;
  const image = await engine.inspectImage(last.engineId);
  const expected = last.layers.map(({ diffId }) => diffId);
  if (image?.diffIds.slice(-expected.length).join() !== expected.join()) return undefined;
  const below = last.layers.map(layerOnEngine);
  if (delta.changed.length + delta.removed.length === 0)
    return { layers: below, deltas: last.deltas, below: last.engineId };
  const top = packLayer(entriesOf(delta, entries), { createdBy: 'gbuild layer: changes' });
  return { layers: [...below, top], deltas: last.deltas + 1, below: last.engineId };
}

function entriesOf({ changed, removed }: Delta, entries: ReadonlyMap<string, Entry>): (Entry | Whiteout)[] {
  return [
    ...changed.map((path) => entries.get(path)!),
    ...removed.map((path): Whiteout => ({ path, type: 'whiteout' })),
  ];
}

function bytesOf({ changed }: Delta, entries: ReadonlyMap<string, Entry>): number {
  let bytes = 0;
  for (const path of changed) {
    const entry = entries.get(path);
    if (entry?.type === 'file') bytes += entry.content.size;
  }
  return bytes;
}

/** Describes a layer by its digest; its bytes are only on the engine. */
function layerOnEngine(layer: PackedTree['layers'][number]): Layer {
  return {
    ...layer,
    chunks: () => {
      throw new LostLayerError('engine-failed', `the engine lost the layer ${layer.diffId} while it was built upon`, {
        suggestions: ['run the same command again'],
        facts: { layer: layer.diffId },
      });
    },
  };
}
