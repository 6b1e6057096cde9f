import { z } from 'zod';

/** Makes a schema of a mapping with exactly these keys; the message for an unknown key lists them. */
export function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape).join(', ');
  return z.strictObject(shape, { error: (issue) => (issue.code === 'unrecognized_keys' ? known : undefined) });
}
