const width = 96;
const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/u;

/**
 * Line `number` of a text, the line above it and a row of carets under the offsets `[from, to)`:
 *
 *       3 | env:
 *     > 4 |   VERSION: 1.10
 *         |            ^^^^
 */
export function formatFrame(text: string, number: number, from: number, to: number): string {
  const start = lineStart(text, from);
  const [line, end] = lineFrom(text, start);
  const gutter = String(number).length;
  const lines: string[] = [];
  if (start > 0) {
    const [above] = lineFrom(text, lineStart(text, start - 1));
    if (above.trim() !== '') lines.push(`  ${String(number - 1).padStart(gutter)} | ${show(above).slice(0, width)}`);
  }
  const skipped = Math.max(0, Math.min(from - start - width / 2, line.length - width));
  const lead = skipped > 0 ? '…' : '';
  const before = `${lead}${show(line.slice(skipped, from - start))}`;
  const marked = show(text.slice(from, Math.min(Math.max(to, from + 1), end, from + width / 2)));
  const after = show(line.slice(from - start, skipped + width));
  const tail = skipped + width < line.length ? '…' : '';
  lines.push(`> ${number} | ${before}${after}${tail}`.trimEnd());
  lines.push(
    `  ${' '.repeat(gutter)} | ${' '.repeat(cellsOf(before))}${'^'.repeat(Math.max(1, cellsOf(marked.trimEnd())))}`,
  );
  return lines.join('\n');
}

/** Returns the start of the line. `lastIndexOf` treats a negative position as 0, and would find a line end there. */
function lineStart(text: string, offset: number): number {
  return offset <= 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

function lineFrom(text: string, start: number): [string, number] {
  const next = text.indexOf('\n', start);
  const end = next === -1 ? text.length : next;
  return [text.slice(start, text[end - 1] === '\r' ? end - 1 : end), end];
}

/** Shows tabs as two blanks, and control characters of a terminal as a visible placeholder. */
function show(text: string): string {
  return text.replaceAll('\t', '  ').replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u00b7');
}

/** Counts columns of a terminal: East Asian wide characters and emoji take two, combining marks none. */
function cellsOf(text: string): number {
  let cells = 0;
  for (const char of text) {
    if (/\p{M}/u.test(char)) continue;
    cells += wide.test(char) ? 2 : 1;
  }
  return cells;
}
