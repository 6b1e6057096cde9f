import type { IncomingMessage } from 'node:http';
import { StringDecoder } from 'node:string_decoder';
import { connectionFailure } from './failures.ts';
import { parseJson, readField, readNumber, readText } from './json.ts';
import type { Wire } from './wire.ts';

/** An error line of a progress stream: the HTTP status was 200 long before things went wrong. */
export interface StreamError {
  message: string;
  /** An HTTP-like code, where the engine gives one. */
  status: number;
}

/**
 * Reads the JSON messages of a progress stream (build, pull, load) in order; a last line without newline counts. An
 * error line is handed out like any other: `errorIn` tells it.
 */
export async function* readMessages(wire: Wire, answer: IncomingMessage, what: string): AsyncGenerator<unknown> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  try {
    for await (const chunk of answer) {
      const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') yield parseJson(line);
    }
  } catch (thrown) {
    throw connectionFailure(wire.endpoint, what, thrown);
  }
  if (rest.trim() !== '') yield parseJson(rest);
}

/** The error that a message carries, if it does. */
export function errorIn(message: unknown): StreamError | undefined {
  const detail = readField(message, 'errorDetail');
  const text = readText(message, 'error') ?? readText(detail, 'message');
  return text === undefined ? undefined : { message: text, status: readNumber(detail, 'code') ?? 0 };
}
