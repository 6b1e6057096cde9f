/** The port that a command listens on where nobody gives it a PORT. */
const usual = '8080';

/**
 * The default of PORT for a command that a shell reads (`/bin/sh -c LINE`): its own, as in `${PORT:-3000}`, else a usual one.
 * Undefined where the line does not ask for it.
 */
export function findPortDefault(words: readonly string[]): string | undefined {
  const [shell = '', flag, line = ''] = words;
  if (!/(?:^|\/)(?:ba|da)?sh$/.test(shell) || flag !== '-c') return undefined;
  const [found, own] = /\$(?:PORT\b|\{PORT(?::?[-=](\d+))?[^}]*\})/.exec(line) ?? [];
  return found === undefined ? undefined : (own ?? usual);
}
