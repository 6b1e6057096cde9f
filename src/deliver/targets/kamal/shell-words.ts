/**
 * Finds out why Kamal would give a container another value than this one, in words that follow the variable's name.
 * Undefined where it gives the value itself. Kamal writes variables into a command of the server's shell, in Ruby's
 * notation.
 */
export function findChange(value: string): string | undefined {
  if (value.trim() === '') return 'is empty, and Kamal leaves it out';
  if (/\p{Cc}/u.test(value)) return 'has a control character or a line end, which Kamal writes as two letters';
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's notation.
  if (/\$\{[^}]*\}/.test(value)) return 'has ${...}, which the server fills in';
  if (/#[{$@]/.test(value)) return 'has # before {, $ or @, to which Kamal adds a backslash';
  return undefined;
}

/** Quotes a word for the shell of a server, which also replaces ~. */
export function quoteForServer(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
