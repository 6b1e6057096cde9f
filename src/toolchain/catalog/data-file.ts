import { type Document, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { GbuildError, messageOf } from '../../errors.ts';

/**
 * Parses a YAML file of the catalog and checks it against its schema. Throws one 'config-invalid' that lists every
 * mistake with file:line:column, key and expectation.
 */
export function parseData<Schema extends z.ZodType>(text: string, file: string, schema: Schema): z.output<Schema> {
  const lines = new LineCounter();
  const { document, value, errors } = parseYaml(text, lines);
  const mistakes = errors.map(({ offset, message }) => at(offset, message.split('\n')[0] ?? ''));
  if (mistakes.length === 0) {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
      for (const key of unknown) {
        const path = key === undefined ? issue.path : [...issue.path, key];
        const message = key === undefined ? issue.message : 'there is no such key';
        mistakes.push(at(offsetOf(path), `${path.join('.') || 'the file'}: ${message}`));
      }
    }
  }
  throw new GbuildError('config-invalid', `this toolchain data cannot be used:\n${mistakes.join('\n')}`, {
    facts: { file, mistakes },
    suggestions: [`mend ${file}`],
  });

  function at(offset: number, message: string): string {
    const { line, col } = lines.linePos(offset);
    return `  ${file}:${line}:${col} ${message}`;
  }

  /** Returns the offset of the key, or of its nearest existing parent. */
  function offsetOf(path: PropertyKey[]): number {
    for (let length = path.length; length > 0; length--) {
      const node = document?.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
      if (node?.range) return node.range[0];
    }
    return 0;
  }
}

interface ParsedYaml {
  document?: Document;
  value?: unknown;
  errors: { offset: number; message: string }[];
}

/** Parses YAML. The parser throws for nesting that is too deep, and for aliases that would expand too far. */
function parseYaml(text: string, lineCounter: LineCounter): ParsedYaml {
  try {
    const document = parseDocument(text, { lineCounter });
    const errors = document.errors.map(({ pos, message }) => ({ offset: pos[0], message }));
    return errors.length > 0 ? { errors } : { document, value: document.toJS({ maxAliasCount: 100 }), errors };
  } catch (cause) {
    return { errors: [{ offset: 0, message: messageOf(cause) }] };
  }
}
