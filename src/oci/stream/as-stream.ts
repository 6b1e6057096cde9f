import { setImmediate as turn } from 'node:timers/promises';

/** Chunks at hand, for whoever reads a stream. Between two of them others have their turn: a signal is heard, a screen drawn. */
export async function* asStream(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  for (const chunk of chunks) {
    yield chunk;
    await turn();
  }
}
