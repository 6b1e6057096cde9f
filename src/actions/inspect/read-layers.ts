import { setImmediate } from 'node:timers/promises';
import type { Stop } from '../../host.ts';
import type { Image } from '../../oci/image/image.ts';

/** Returns the image with layers whose reading ends when the run is stopped. */
export function abortableImage(image: Image, { ask }: Stop): Image {
  const layers = image.layers.map((layer) => ({ ...layer, chunks: () => abortableSync(layer.chunks(), ask) }));
  return { ...image, layers };
}

/** Number of chunks of about a megabyte to read between two checks for a signal. */
const chunksAtOnce = 32;

/** Reads every layer to its end, which checks it. Throws `workspace-changed` or `store-failed` for a damaged one. */
export async function checkLayers({ layers }: Image): Promise<void> {
  let count = 0;
  for (const layer of layers) for (const _ of layer.chunks()) if (++count % chunksAtOnce === 0) await setImmediate();
}

/** Returns a stream that ends with the stop's reason when the run is stopped. */
export async function* abortable<T>(chunks: AsyncIterable<T>, { ask }: Stop): AsyncGenerator<T> {
  for await (const chunk of chunks) {
    ask.throwIfAborted();
    yield chunk;
  }
}

function* abortableSync<T>(chunks: Iterable<T>, ask: AbortSignal): Generator<T> {
  for (const chunk of chunks) {
    ask.throwIfAborted();
    yield chunk;
  }
}
