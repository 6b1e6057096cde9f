import { escapeLine } from '../escape.ts';

/** HTML that is known to be safe. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Markup | readonly Markup[];

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Builds a piece of a page: each value is inserted as text, unless it is Markup. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Markup {
  return new Markup(parts.map((part, index) => part + textOf(values[index] ?? '')).join(''));
}

/** Joins lines of text, each escaped. */
export function escapeLines(lines: readonly string[]): Markup {
  return new Markup(lines.map(escapeText).join('\n'));
}

function textOf(value: Value): string {
  if (typeof value === 'string' || typeof value === 'number') return escapeText(String(value));
  return value instanceof Markup ? value.text : value.map(({ text }) => text).join('');
}

function escapeText(text: string): string {
  return escapeLine(text).replaceAll(/[&<>"']/g, (character) => entities[character]!);
}
