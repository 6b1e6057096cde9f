import { type Document, parseDocument, type YAMLError } from 'yaml';
import { messageOf } from '../../errors.ts';
import type { Mistake } from './mistakes.ts';
import type { Remark, Source } from './source.ts';

/** Parses the text as a YAML document, or returns every syntax mistake. */
export function parseSyntax(source: Source): { document?: Document; mistakes: Mistake[] } {
  try {
    const document = parseDocument(source.text, {
      uniqueKeys: false,
      prettyErrors: false,
      version: '1.2',
      schema: 'core',
      logLevel: 'error',
    });
    if (document.errors.length > 0) return { mistakes: syntaxMistakes(document.errors, source) };
    return { document, mistakes: directiveMistakes(document, source) };
  } catch (error) {
    const remark =
      error instanceof RangeError ? tooDeep : { expected: 'YAML', found: messageOf(error).split('\n')[0]! };
    return { mistakes: [source.mistakeAt(0, 1, remark)] };
  }
}

/** Reports one mistake for each line, at the first misplaced token: later messages of the parser follow from it. */
function syntaxMistakes(errors: readonly YAMLError[], source: Source): Mistake[] {
  const deep = errors.find((error) => error.code === 'RESOURCE_EXHAUSTION');
  const seen = new Set<string | number>();
  const mistakes: Mistake[] = [];
  // The depth limit depends on the remaining stack: its position would differ between runs.
  if (deep !== undefined) return [source.mistakeAt(0, 1, tooDeep)];
  for (const error of errors) {
    const { line } = source.positionOf(error.pos[0]);
    const kind = error.code === 'UNEXPECTED_TOKEN' ? error.code : line;
    if (seen.has(kind) || mistakes.length === 100) continue;
    seen.add(kind);
    mistakes.push(source.mistakeAt(error.pos[0], error.pos[1], remarkOf(error, source)));
  }
  return mistakes;
}

/** Refuses `%YAML 1.1`, which would change the meaning of `yes` and `0777`. */
function directiveMistakes(document: Document, source: Source): Mistake[] {
  const at = source.text.search(/^%/m);
  if (at === -1 || document.directives?.yaml.explicit !== true || document.directives.yaml.version === '1.2') return [];
  return [source.mistakeAt(at, at + 5, { expected: 'YAML 1.2', found: `YAML ${document.directives.yaml.version}` })];
}

const tooDeep: Remark = { expected: 'YAML', found: 'nesting too deep to read' };
const quoteIt = 'put the value in quotes';

function remarkOf(error: YAMLError, source: Source): Remark {
  const char = source.text.slice(error.pos[0], error.pos[0] + 1);
  const atEnd = error.pos[0] >= source.text.trimEnd().length;
  const here = atEnd ? 'the end of the file' : `${JSON.stringify(char)} here`;
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return { expected: 'spaces as indentation', found: 'a tab' };
    case 'MULTIPLE_DOCS':
      return { expected: 'one YAML document', found: 'a second one', hint: 'remove --- and what follows it' };
    case 'BLOCK_AS_IMPLICIT_KEY':
      return { expected: 'one value after the key', found: 'a second ": " on the line', hint: quoteIt };
    case 'BAD_SCALAR_START':
      return { expected: 'a value', found: `the reserved character ${char}`, hint: quoteIt };
    case 'BAD_DQ_ESCAPE':
      return {
        expected: 'an escape of YAML',
        found: error.message.replace(/^Invalid escape sequence /, ''),
        hint: 'write \\\\ for a backslash, or use single quotes',
      };
    case 'UNEXPECTED_TOKEN':
      return {
        expected: 'YAML',
        found: `${here.replace(/ here$/, '')} where it makes no sense`,
        hint: 'look at the indentation and the brackets above',
      };
    case 'MISSING_CHAR':
      if (/closing .quote/.test(error.message)) return { expected: 'a closing quote', found: here };
      if (/Implicit map keys need/.test(error.message))
        return {
          expected: '"KEY: VALUE"',
          found: 'text without a colon',
          hint: 'a colon and a space end a key; text over several lines needs "|" and indentation',
        };
      return { expected: wordsOf(error.message), found: here };
    case 'BAD_INDENT':
      if (/All mapping items/.test(error.message))
        return { expected: 'the column of the keys above', found: 'another indentation' };
      if (/All collection items/.test(error.message))
        return { expected: 'the column of the items above', found: 'another indentation' };
      return { expected: wordsOf(error.message), found: here };
    default:
      return { expected: 'YAML', found: `${lowerFirst(error.message.split('\n')[0]!)}` };
  }
}

/** Returns the expected part from YAML's own message: `a closing ]`. */
function wordsOf(message: string): string {
  const bracket = /with an? ([\])}])/.exec(message)?.[1];
  return bracket === undefined ? `YAML (${lowerFirst(message)})` : `a closing ${bracket}`;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
