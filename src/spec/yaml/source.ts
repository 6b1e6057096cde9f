import { LineCounter } from 'yaml';
import { escapeLine } from '../../escape.ts';
import { largestFile } from '../../fs/read-bounded.ts';
import type { PathKey, Position } from '../types.ts';
import { formatFrame } from './frame.ts';
import { formatPath, type Mistake } from './mistakes.ts';

/** Remark about a position: the other parts of a mistake. */
export interface Remark {
  path?: readonly PathKey[];
  expected: string;
  found: string;
  hint?: string | undefined;
}

/** Text of a file, with positions for people. */
export class Source {
  readonly file: string;
  readonly text: string;
  readonly #lines: LineCounter = new LineCounter();

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    this.#lines.addNewLine(0);
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#lines.addNewLine(at + 1);
  }

  positionOf(offset: number): Position {
    const { line, col } = this.#lines.linePos(this.#clamp(offset));
    return { line, column: col };
  }

  mistakeAt(from: number, to: number, { path = [], expected, found, hint }: Remark): Mistake {
    const start = this.#clamp(from);
    const { line, column } = this.positionOf(start);
    return {
      file: this.file,
      line,
      column,
      path: [...path],
      key: escapeLine(formatPath(path)),
      expected: escapeLine(expected),
      found: escapeLine(found),
      ...(hint === undefined ? {} : { hint: escapeLine(hint) }),
      frame: formatFrame(this.text, line, start, to),
    };
  }

  #clamp(offset: number): number {
    return Math.max(0, Math.min(offset, this.text.length));
  }
}

/** Decodes the bytes of a file as text without byte order mark, or returns the reasons why they are no text. */
export function decodeSource(bytes: string | Uint8Array, file: string): { source: Source; mistakes: Mistake[] } {
  if (bytes.length > largestFile) {
    return refuse(file, { expected: `a file of at most ${largestFile / 1024} KiB`, found: 'a larger one' });
  }
  if (typeof bytes !== 'string' && isUtf16(bytes)) {
    return refuse(file, { expected: 'text in UTF-8', found: 'UTF-16', hint: 'save the file as UTF-8' });
  }
  const decoded = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const source = new Source(file, decoded.startsWith('\ufeff') ? decoded.slice(1) : decoded);
  const isText = typeof bytes === 'string' || Buffer.from(decoded).equals(bytes);
  return { source, mistakes: isText ? readCharacters(source) : [notUtf8(source)] };
}

function refuse(file: string, remark: Remark): { source: Source; mistakes: Mistake[] } {
  const source = new Source(file, '');
  const { frame: _, ...mistake } = source.mistakeAt(0, 0, remark);
  return { source, mistakes: [mistake] };
}

function isUtf16(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

function notUtf8(source: Source): Mistake {
  const at = source.text.indexOf('\ufffd');
  const hint = 'save the file as UTF-8';
  return source.mistakeAt(at, at + 1, { expected: 'text in UTF-8', found: 'bytes that are not UTF-8', hint });
}

/** Finds characters that YAML forbids (1.2, production 1, c-printable) and conflict markers. */
function readCharacters(source: Source): Mistake[] {
  const nul = source.text.indexOf('\0');
  if (nul !== -1) return [source.mistakeAt(nul, nul + 1, { expected: 'text', found: 'a binary file' })];
  const mistakes: Mistake[] = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const forbidden = /[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]|\r(?!\n)|^(?:<{7} |>{7} |={7}\r?$|\|{7} )|\p{Cs}/gmu;
  for (const match of source.text.matchAll(forbidden)) {
    mistakes.push(characterMistake(source, match.index, match[0]));
    if (mistakes.length === 100) break;
  }
  return mistakes;
}

function characterMistake(source: Source, at: number, found: string): Mistake {
  const to = at + found.trimEnd().length;
  if (found.length >= 7) {
    return source.mistakeAt(at, to, { expected: 'YAML', found: 'the mark of a merge conflict that is not resolved' });
  }
  if (found === '\r') {
    return source.mistakeAt(at, at + 1, { expected: 'lines ending with LF or CRLF', found: 'a CR alone' });
  }
  const code = found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  const hint = `inside double quotes it can be written "\\u${code}"`;
  return source.mistakeAt(at, at + 1, { expected: 'printable text', found: `the control character U+${code}`, hint });
}
