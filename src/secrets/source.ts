import { escapeLine, quoteWord } from '../escape.ts';
import type { SecretSpec } from '../spec/types.ts';

/** Describes the source of a secret for people, in one line. */
export function formatSource({ env, file, command = [] }: SecretSpec): string {
  if (env !== undefined) return `the variable ${env}`;
  return file === undefined
    ? `the command "${escapeLine(command.map(quoteWord).join(' '))}"`
    : `the file ${escapeLine(file)}`;
}
