import { z } from 'zod';
import { mapping } from './mapping.ts';
import { text, variableName, words } from './scalars.ts';

export const secretName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a secret: letters, digits and _, not starting with a digit');

const sourceExpected = 'one of env, file and command';

const secretSchema = mapping({
  env: z.exactOptional(variableName).describe("A variable of the caller's"),
  file: z.exactOptional(text).describe('A file of this machine: absolute, below ~/, or relative to the repository'),
  command: z
    .exactOptional(z.array(text, { error: 'the command as a list of words' }).pipe(words))
    .describe('A program of this machine and its arguments, run without a shell: what it prints is the value'),
}).superRefine((source, context) => {
  if (Object.keys(source).length !== 1) context.addIssue(sourceExpected);
});

export const secretsSchema = z.record(secretName, secretSchema);
