import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { parseJson, readField, readNumber, readText } from '../answer/json.ts';
import type { EngineClient } from './client.ts';
import { notUnderstood } from './failures.ts';
import { SilenceLimit } from './request-limit.ts';

/** Error line of a progress stream: the HTTP status was 200 before the failure. */
export interface StreamError {
  message: string;
  /** HTTP-like code, where the engine gives one. */
  status: number;
}

/**
 * Reads the JSON messages of a progress stream (build, pull, load) in order; a last line without newline counts. Error
 * lines are yielded too: `errorIn` detects them. `silence` returns the milliseconds that may pass between two messages.
 */
export async function* readMessages(
  client: EngineClient,
  answer: IncomingMessage,
  what: string,
  silence: () => number,
): AsyncGenerator<unknown> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const limit = new SilenceLimit(silence);
  limit.signal.addEventListener('abort', () => answer.destroy(limit.signal.reason as Error));
  try {
    for await (const chunk of client.readChunks(answer, what)) {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.trim() !== '') yield parseMessage(client, line, what);
        // Bytes alone do not count: one byte a second would pass as a sign of life.
        limit.moved();
      }
    }
  } finally {
    limit.end();
  }
  if (rest.trim() !== '') yield parseMessage(client, rest, what);
}

function parseMessage(client: EngineClient, line: string, what: string): object {
  const message = parseJson(line);
  if (typeof message !== 'object' || message === null) throw notUnderstood(client.endpoint, what);
  return message;
}

/** Returns the error that a message carries, if any. */
export function errorIn(message: unknown): StreamError | undefined {
  const detail = readField(message, 'errorDetail');
  const text = readText(message, 'error') ?? readText(detail, 'message');
  return text === undefined ? undefined : { message: text, status: readNumber(detail, 'code') ?? 0 };
}
