import { posix } from 'node:path';

/** Command that a program execs, where its command line shows it plainly. */
export interface WrappedCommand {
  words: string[];
  /** Whether a shell expands the words: one with a variable is unknown. */
  isOfShell: boolean;
}

const inits = /^(?:tini|tini-static|dumb-init|catatonit)$/;

/**
 * Returns the command that `env`, a small init or `sh -c` starts; undefined for other programs, or where its words do
 * not show it.
 */
export function unwrapCommand([program = '', ...words]: readonly string[]): WrappedCommand | undefined {
  const name = posix.basename(program);
  if (name === 'env') return unwrapEnv(words);
  if (inits.test(name)) return unwrapInit(words);
  if (/^(?:ba|da|a)?sh$/.test(name) && /^-[eux]*c$/.test(words[0] ?? '')) return unwrapLine(words[1] ?? '');
  return undefined;
}

function unwrapEnv(words: string[]): WrappedCommand | undefined {
  const split = words[0] === '-S' ? words.slice(1).flatMap((word) => word.trim().split(/\s+/)) : words;
  const rest = dropAssignments(split[0] === '-i' ? split.slice(1) : split);
  return plain(rest);
}

function unwrapInit(words: string[]): WrappedCommand | undefined {
  const end = words.indexOf('--');
  const rest = end === -1 ? words.filter((word, at) => at > 0 || !/^-[svgw]+$/.test(word)) : words.slice(end + 1);
  return plain(rest);
}

function plain(words: string[]): WrappedCommand | undefined {
  return words[0] === undefined || words[0].startsWith('-') ? undefined : { words, isOfShell: false };
}

/** Builtins of the shell, except for `exec`. */
const builtins = new Set(
  '. : [ alias bg break cd command continue eval exit export false fg getopts hash if case for while until function jobs kill local printf pwd read readonly return set shift source test time times trap true type ulimit umask unalias unset wait echo'.split(
    ' ',
  ),
);

/** Parses a single command of plain words, with variables at most. */
function unwrapLine(line: string): WrappedCommand | undefined {
  const text = line.trim().replaceAll(/\$\{[\w:?=+.-]*\}/g, '$');
  if (/[|;&<>()`\\"'*?[\]#~{}!\n]/.test(text)) return undefined;
  const assigned = dropAssignments(text.split(/\s+/));
  const words = dropAssignments(assigned[0] === 'exec' ? assigned.slice(1) : assigned);
  const [program = ''] = words;
  return program === '' || program.includes('$') || program.startsWith('-') || builtins.has(program)
    ? undefined
    : { words, isOfShell: true };
}

/**
 * Drops assignments; empty where one changes the search for programs and libraries, because the program is then
 * unknown.
 */
function dropAssignments(words: string[]): string[] {
  const first = words.findIndex((word) => !/^\w+=/.test(word));
  const assigned = first === -1 ? words : words.slice(0, first);
  const isMoved = assigned.some((word) => /^(?:PATH|LD_LIBRARY_PATH)=/.test(word));
  return first === -1 || isMoved ? [] : words.slice(first);
}
