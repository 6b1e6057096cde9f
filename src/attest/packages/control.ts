/** Fields of one paragraph; the lines of a folded value are joined by newlines. */
export type Paragraph = Record<string, string>;

/** Parses the paragraphs of a Debian control file (Debian Policy 5.1), with field names as written. */
export function parseParagraphs(text: string): Paragraph[] {
  return text
    .split(/\r?\n(?:[ \t]*\r?\n)+/)
    .map(parseParagraph)
    .filter((paragraph) => Object.keys(paragraph).length > 0);
}

function parseParagraph(text: string): Paragraph {
  const fields: Paragraph = Object.create(null);
  let last: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name !== undefined && !line.startsWith('#')) {
      last = name;
      fields[name] = value!.trim();
    } else if (last !== undefined && /^[ \t]/.test(line)) {
      fields[last] += `\n${line.trim()}`;
    }
  }
  return fields;
}
