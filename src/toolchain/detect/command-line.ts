/**
 * A shell command line as an argv: word by word where it is a simple command, by way of `/bin/sh -c` where a shell is needed
 * (variables, pipes, several commands). A shell that has a single command to start gives it its own place, so that the program gets
 * signals itself.
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

/** The same again for `--name=value` words, which are harmless after the first word; anything else takes a shell. */
function splitOptions(text: string): string[] {
  const words = text.split(/\s+/);
  const plain = words.every(
    (word, index) => /^[\w@%+:,./-]+$/.test(word) || (index > 0 && /^-[\w@%+=:,./-]+$/.test(word)),
  );
  return plain ? dropExec(words) : ['/bin/sh', '-c', execLast(text)];
}

/** No program is called so: it is a word for the shell that is not needed. */
function dropExec(words: string[]): string[] {
  return words[0] === 'exec' && words.length > 1 ? words.slice(1) : words;
}

/** Words that are the shell's own: none of them can be started in its place. */
const ownWords =
  /^(?:[.:!{[]|exec|alias|bg|break|case|cd|command|continue|eval|exit|export|fg|for|function|getopts|hash|if|jobs|local|read|readonly|return|set|shift|source|test|time|times|trap|type|ulimit|umask|unalias|unset|until|wait|while)$/;

/** `A=b node $FILE` becomes `A=b exec node $FILE`, where nothing follows it and no operator may stand in a quoted text. */
function execLast(text: string): string {
  const [, assigned = '', program = ''] =
    /^((?:\w+=(?:[^\s"'$`\\]|\$\w+|\$\{\w+\})*\s+)*)([^\s="'$`]+)(?:\s|$)/.exec(text) ?? [];
  const isSingle = !/[|;&()`\n]|\$\(|<</.test(text);
  return program === '' || !isSingle || ownWords.test(program)
    ? text
    : `${assigned}exec ${text.slice(assigned.length)}`;
}
