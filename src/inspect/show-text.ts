const named: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text out of an image as it may be shown: control characters, which move a terminal's cursor or colour what follows, and
 * characters that are not seen or turn the direction of writing are spelled out (`\x1b`, `\u202e`).
 */
export function showText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0)!;
    const hex = code.toString(16);
    return named[character] ?? (code < 256 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`);
  });
}

/** The text in one line of at most `length` characters, its end cut off. */
export function shorten(text: string, length: number): string {
  const shown = showText(text);
  return shown.length <= length ? shown : `${shown.slice(0, length - 3)}...`;
}
