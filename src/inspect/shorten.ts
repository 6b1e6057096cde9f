import { escapeLine } from '../escape.ts';

/** Shortens the text to one line of at most `length` characters. */
export function shorten(text: string, length: number): string {
  const shown = escapeLine(text);
  return shown.length <= length ? shown : `${shown.slice(0, length - 3)}...`;
}
