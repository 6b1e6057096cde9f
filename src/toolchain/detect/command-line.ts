/**
 * Splits a shell command line into an argv: word by word for a simple command, through `/bin/sh -c` where a shell is
 * needed (variables, pipes, several commands). A shell with a single command execs it, so that the program gets signals
 * itself.
 */
export function splitCommandLine(line: string): string[] {
  const words: string[] = [];
  const token = /\s*(?:"([^"\\$`]*)"|'([^']*)'|([^\s"'\\$`|&;<>()*?[\]#~{}!=]+))(?=\s|$)/y;
  const text = line.trim();
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (match === null) return splitOptions(text);
    words.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  return words.length === 0 ? ['/bin/sh', '-c', line] : dropExec(words);
}

/** Splits `--name=value` words too, which are harmless after the first word; anything else needs a shell. */
function splitOptions(text: string): string[] {
  const words = text.split(/\s+/);
  const plain = words.every(
    (word, index) => /^[\w@%+:,./-]+$/.test(word) || (index > 0 && /^-[\w@%+=:,./-]+$/.test(word)),
  );
  return plain ? dropExec(words) : ['/bin/sh', '-c', execLast(text)];
}

/** Drops a leading exec: it is a shell's word, not a program, and no shell is needed. */
function dropExec(words: string[]): string[] {
  return words[0] === 'exec' && words.length > 1 ? words.slice(1) : words;
}

/** Pattern of the shell's own words: exec cannot start any of them. */
const ownWords =
  /^(?:[.:!{[]|exec|alias|bg|break|case|cd|command|continue|eval|exit|export|fg|for|function|getopts|hash|if|jobs|local|read|readonly|return|set|shift|source|test|time|times|trap|type|ulimit|umask|unalias|unset|until|wait|while)$/;

/**
 * Changes `A=b node $FILE` to `A=b exec node $FILE`, where nothing follows it and no quoted text can hide an operator.
 */
function execLast(text: string): string {
  const [, assigned = '', program = ''] =
    /^((?:\w+=(?:[^\s"'$`\\]|\$\w+|\$\{\w+\})*\s+)*)([^\s="'$`]+)(?:\s|$)/.exec(text) ?? [];
  const isSingle = !/[|;&()`\n]|\$\(|<</.test(text);
  return program === '' || !isSingle || ownWords.test(program)
    ? text
    : `${assigned}exec ${text.slice(assigned.length)}`;
}
