import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { parseJson, readField, readNumber, readText } from '../answer/json.ts';
import type { EngineClient } from './client.ts';
import { notUnderstood } from './failures.ts';
import { SilenceLimit } from './request-limit.ts';

/** An error line of a progress stream: the HTTP status was 200 long before things went wrong. */
export interface StreamError {
  message: string;
  /** An HTTP-like code, where the engine gives one. */
  status: number;
}

/**
 * Reads the JSON messages of a progress stream (build, pull, load) in order; a last line without newline counts. An
 * error line is handed out like any other: `errorIn` tells it. Between two messages may pass as many milliseconds as `silence`
 * says then.
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
        // Bytes are no sign of life: one a second is none.
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

/** The error that a message carries, if it does. */
export function errorIn(message: unknown): StreamError | undefined {
  const detail = readField(message, 'errorDetail');
  const text = readText(message, 'error') ?? readText(detail, 'message');
  return text === undefined ? undefined : { message: text, status: readNumber(detail, 'code') ?? 0 };
}
