/**
 * A shell command line as an argv: word by word where it is a simple command, so that the program gets signals itself;
 * by way of `/bin/sh -c` where a shell is needed (variables, pipes, several commands).
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
  return words.length === 0 ? ['/bin/sh', '-c', line] : words;
}

/** The same again for `--name=value` words, which are harmless after the first word; anything else takes a shell. */
function splitOptions(text: string): string[] {
  const words = text.split(/\s+/);
  const plain = words.every(
    (word, index) => /^[\w@%+:,./-]+$/.test(word) || (index > 0 && /^-[\w@%+=:,./-]+$/.test(word)),
  );
  return plain ? words : ['/bin/sh', '-c', text];
}
