/** Default port of a command that gets no PORT. */
const usual = '8080';

/**
 * Finds the default of PORT for a command that a shell reads (`/bin/sh -c LINE`): its own, as in `${PORT:-3000}`, else
 * the usual one. Undefined where the line does not use PORT.
 */
export function findPortDefault(words: readonly string[]): string | undefined {
  const [shell = '', flag, line = ''] = words;
  if (!/(?:^|\/)(?:ba|da)?sh$/.test(shell) || flag !== '-c') return undefined;
  const [found, own] = /\$(?:PORT\b|\{PORT(?::?[-=](\d+))?[^}]*\})/.exec(line) ?? [];
  return found === undefined ? undefined : (own ?? usual);
}
