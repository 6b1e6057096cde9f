// Refuses what makes the code hard to read for a stranger: node scripts/plain-language.ts [FOLDER]
// Prints one line for each finding below FOLDER (src when left out) and exits with 1 where there is any.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** First words that put the noun of a doc comment after its description. */
const badStarts = ['Of', 'Whose', 'Who', 'That', 'Those', 'What'];

/** Words that only this project used for a standard idea, with the field's own word. */
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

/** Words of translated comments, and the plain ones. Identifiers and strings may have them. */
const translatedWords = new Map([
  ['anew', 'again'],
  ['elsewhere', 'in another place'],
  ['besides', 'in addition'],
  ['stands', 'is, or means'],
  ['bears', 'has'],
  ['nobody', 'what happens'],
  ['whoever', 'the caller'],
  ['mends', 'fixes, or repairs'],
  ['is told', 'gets, or is called with'],
  ['at hand', 'in memory, or readable'],
  ['so long as', 'while'],
  ['the story of', 'Implements'],
  ['may be had', 'is available'],
  ['can be had', 'is available'],
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
  return [...starts, ...words, ...findTranslated(source)];
}

/** Finds words and phrases of comments, also across their lines. */
function findTranslated(source: string): string[] {
  const comments = source.split('\n').map((line) => (commentLine.test(line) ? dropQuoted(line) : ''));
  const text = comments.join('\n').toLowerCase();
  return [...translatedWords].flatMap(([words, better]) =>
    [...text.matchAll(new RegExp(`\\b${words.replaceAll(' ', '[\\s*/]+')}\\b`, 'g'))].map(
      ({ index }) => `${lineAt(text, index)}: "${words}" in a comment: say ${better}`,
    ),
  );
}

/** Removes quoted text. An apostrophe in a comment is no quotation mark. */
function dropQuoted(comment: string): string {
  return comment.replace(/`[^`]*`|"[^"]*"/g, '');
}

function lineAt(source: string, index: number): number {
  return source.slice(0, index).split('\n').length;
}

/** Returns the words of a line: those of a comment, or the parts of the identifiers of code. */
function wordsOf(line: string): string[] {
  const isComment = commentLine.test(line);
  const plain = isComment ? dropQuoted(line) : line.replace(quoted, '').replace(/\/\/ .*/, '');
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
