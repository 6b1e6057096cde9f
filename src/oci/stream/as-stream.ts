import { setImmediate as turn } from 'node:timers/promises';

/**
 * Turns chunks into a stream for its readers. Between two chunks the event loop gets a turn: for signals, for progress.
 */
export async function* asStream(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  for (const chunk of chunks) {
    yield chunk;
    await turn();
  }
}
