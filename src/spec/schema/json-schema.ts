import { z } from 'zod';
import { specSchema } from './schema.ts';

/**
 * Formats the JSON Schema (draft 7, which editors read) of gbuild.yml as people write it. It is published as
 * schema/gbuild-1.schema.json.
 */
export function formatJsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(specSchema, { io: 'input', target: 'draft-7' });
  const title = 'gbuild.yml';
  const description = 'How gbuild builds, tests and releases a repository';
  const text = JSON.stringify({ $schema, title, description, ...schema }, undefined, 2);
  // Lists of words go on one line, as this repository's formatter requires.
  return `${text.replace(/\[\n[^[\]{}]*\n *\]/g, (list) => list.replace(/\n */g, ' ').replace(/^\[ | \]$/g, (end) => end.trim()))}\n`;
}
