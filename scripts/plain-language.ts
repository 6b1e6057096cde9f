// Refuses what makes the code hard to read for a stranger: node scripts/plain-language.ts [FOLDER]
// Prints one line for each finding below FOLDER (src when left out) and exits with 1 where there is any.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** First words that put the noun of a doc comment after its description. */
const badStarts = ['Of', 'Whose', 'Who', 'That', 'Those', 'What'];

/** Words that only this project used for a standard idea, and the field's own word. */
const privateWords = new Map([
  ['rim', 'context'],
  ['ground', 'context, or base layer'],
  ['spool', 'temp dir'],
  ['beside', 'atomic, attached, or next to'],
  ['patience', 'timeout'],
  ['heed', 'abortable'],
  ['landing', 'apply'],
  ['landed', 'applied'],
]);

const commentLine = /^\s*(?:\/?\*|\/\/)/;
const quoted = /`[^`]*(?:`|$)|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;

/** Lists the findings in one source, each as `line: what is wrong`. Strings and quoted text may say anything. */
export function checkSource(source: string): string[] {
  const starts = [...source.matchAll(/\/\*\*[\s*]*(\w+)/g)].flatMap(({ index, 1: word = '' }) =>
    badStarts.includes(word)
      ? [`${lineAt(source, index)}: a doc comment begins with "${word}": begin with a verb or a noun`]
      : [],
  );
  const words = source.split('\n').flatMap((line, at) =>
    wordsOf(line).flatMap((word) => {
      const better = privateWords.get(word);
      return better === undefined ? [] : [`${at + 1}: the word "${word}": say ${better}`];
    }),
  );
  return [...starts, ...words];
}

function lineAt(source: string, index: number): number {
  return source.slice(0, index).split('\n').length;
}

/** Words of a line: those of a comment, or the parts of the identifiers of code. */
function wordsOf(line: string): string[] {
  const isComment = commentLine.test(line);
  // An apostrophe of a comment is no quotation mark.
  const plain = line.replace(isComment ? /`[^`]*`|"[^"]*"/g : quoted, '').replace(isComment ? /$^/ : /\/\/ .*/, '');
  const split = plain.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
  return split.match(/[a-z]+/g) ?? [];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? 'src';
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const found = files.sort().flatMap((file) => {
    const path = join(folder, file);
    return checkSource(readFileSync(path, 'utf8')).map((finding) => `${path}:${finding}`);
  });
  for (const line of found) process.stderr.write(`${line}\n`);
  if (found.length > 0) process.exit(1);
}
