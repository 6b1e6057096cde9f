import { stripVTControlCharacters } from 'node:util';

/** Characters that a terminal acts on, that turn the direction of writing, or that are not seen. */
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;
const named: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Lines that a reader takes for gbuild's own. */
const ownLine = /^\s*(?:error|warning|try|because):/i;

/**
 * Text from elsewhere (a repository, an engine, a registry, an image) as it may be shown in one line: control characters,
 * which move a terminal's cursor or colour what follows, and characters that are not seen or turn the direction of writing are
 * spelled out (`\x1b`, `\u202e`).
 */
export function escapeLine(text: string): string {
  return text.replaceAll(hidden, spell);
}

/** The same for text of several lines: line ends and tabs stay. */
export function escapeText(text: string): string {
  return text.replaceAll(hidden, (character) =>
    character === '\n' || character === '\t' ? character : spell(character),
  );
}

/** The same for a message: a line after the first is indented, and cannot pass for an error or a suggestion of gbuild's own. */
export function escapeMessage(text: string): string {
  const [first = '', ...others] = escapeText(text).split('\n');
  const shown = others.map((line) => {
    if (ownLine.test(line)) return `  | ${line.trimStart()}`;
    return /^\S/.test(line) ? `  ${line}` : line;
  });
  return [first, ...shown].join('\n');
}

/** A word as a POSIX shell takes it, quoted where it has to be. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A line that a program printed: without its colours, and of what it drew over itself the last. */
export function escapeOutput(line: string): string {
  const drawn = stripVTControlCharacters(line).replace(/\r+$/, '');
  return escapeText(drawn.slice(drawn.lastIndexOf('\r') + 1));
}

/** Formats the last lines of a program, one each below the message that they belong to. */
export function formatTail(lines: readonly string[]): string {
  return lines.map((line) => `\n  ${escapeOutput(line)}`).join('');
}

/** JSON of the same value, with what JSON may leave as it is escaped too. */
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
