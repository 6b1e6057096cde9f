/** Quotes a text as one word of bash that means exactly this text. */
export function quoteBash(text: string): string {
  // In an array, a word that begins with = looks like an assignment by index.
  if (/^[\w@%+:,./-][\w@%+=:,./-]*$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Tells shellcheck that a dollar in single quotes is no forgotten variable. */
export const literalWords = '# shellcheck disable=SC2016';

/** Formats an array of bash, one word a line. */
export function formatArray(name: string, words: readonly string[]): string {
  if (words.length === 0) return `${name}=()`;
  const lines = [`${name}=(`, ...words.map((word) => `  ${quoteBash(word)}`), ')'];
  return [...(words.some((word) => /[$`]/.test(word)) ? [literalWords] : []), ...lines].join('\n');
}
