/** Quotes a text as one word of bash that means exactly this text. */
export function quoteBash(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Formats an array of bash, one word a line. */
export function formatArray(name: string, words: readonly string[]): string {
  if (words.length === 0) return `${name}=()`;
  return [`${name}=(`, ...words.map((word) => `  ${quoteBash(word)}`), ')'].join('\n');
}

/** Heads a script whose words are literal: a dollar in quotes is no forgotten variable. */
export const literalWords = '# shellcheck disable=SC2016';
