import { stripVTControlCharacters } from 'node:util';

/** Characters that control a terminal, change the direction of writing, or are invisible. */
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;
const named: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Pattern of lines that a reader would take for gbuild's own. */
const ownLine = /^\s*(?:error|warning|try|because):/i;

/**
 * Escapes foreign text (from a repository, an engine, a registry, an image) for one line. Control characters, which
 * move a terminal's cursor or colour text, invisible characters and changes of direction are spelled out (`\x1b`,
 * `\u202e`).
 */
export function escapeLine(text: string): string {
  return text.replaceAll(hidden, spell);
}

/** Escapes text of several lines: line ends and tabs stay. */
export function escapeText(text: string): string {
  return text.replaceAll(hidden, (character) =>
    character === '\n' || character === '\t' ? character : spell(character),
  );
}

/**
 * Escapes a message: lines after the first are indented, so that none looks like an error or a suggestion of gbuild.
 */
export function escapeMessage(text: string): string {
  const [first = '', ...others] = escapeText(text).split('\n');
  const shown = others.map((line) => {
    if (ownLine.test(line)) return `  | ${line.trimStart()}`;
    return /^\S/.test(line) ? `  ${line}` : line;
  });
  return [first, ...shown].join('\n');
}

/** Quotes a word for a POSIX shell, where necessary. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Escapes a line that a program printed: without its colours, and only the last of the texts it drew over each other.
 */
export function escapeOutput(line: string): string {
  const drawn = stripVTControlCharacters(line).replace(/\r+$/, '');
  return escapeText(drawn.slice(drawn.lastIndexOf('\r') + 1));
}

/** Formats the last lines of a program, one each below the message that they belong to. */
export function formatTail(lines: readonly string[]): string {
  return lines.map((line) => `\n  ${escapeOutput(line)}`).join('');
}

/** Escapes the JSON of a value, including characters that JSON allows unescaped. */
export function escapeJson(json: string): string {
  return json.replaceAll(hidden, (character) => (character === '\n' ? character : spellUnits(character)));
}

function spellUnits(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

function spell(character: string): string {
  const code = character.codePointAt(0)!;
  const hex = code.toString(16);
  if (code < 0x100) return named[character] ?? `\\x${hex.padStart(2, '0')}`;
  return code < 0x1_0000 ? `\\u${hex.padStart(4, '0')}` : `\\u{${hex}}`;
}
