/**
 * First bytes of a program for no particular machine, as a text: to gbuild a static program of any platform. For images
 * that are made and not run.
 */
export const anyProgram = `\x7fELF\x02\x01\x01${'\0'.repeat(57)}`;

/** Whether a text is such a program, or a script, and so gets an executable bit. */
export function isProgram(text: string): boolean {
  return text.startsWith('#!') || text.startsWith('\x7fELF');
}
