import type { Stop } from '../../host.ts';
import type { Image } from '../../oci/image/image.ts';

/** The image, the reading of whose layers ends when the run is told to stop. */
export function abortableImage(image: Image, { ask }: Stop): Image {
  const layers = image.layers.map((layer) => ({ ...layer, chunks: () => abortableSync(layer.chunks(), ask) }));
  return { ...image, layers };
}

/** A stream that ends with the reason when the run is told to stop. */
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
