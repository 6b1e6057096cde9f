/** Variable of a git config, as bytes in latin1. */
export interface GitVariable {
  /** Section in lower case, as git compares it. */
  section: string;
  /** Subsection as it is written; in lower case in the old notation with a dot. */
  subsection?: string;
  key: string;
  /** Undefined for a key without a value, which means true. */
  value?: string;
}

const escapes: Record<string, string> = { t: '\t', b: '\b', n: '\n', '\\': '\\', '"': '"' };
const blank = /[ \t\n\r]/;

/**
 * Parses a git config by git's own grammar (config.c). Where git would refuse the file, `isWhole` is false and the
 * variables are those before the error.
 */
export function parseGitConfig(text: string): { variables: GitVariable[]; isWhole: boolean } {
  const variables: GitVariable[] = [];
  const scanner = new Scanner(text);
  let header: Pick<GitVariable, 'section' | 'subsection'> | undefined = { section: '' };
  while (scanner.skipBetween()) {
    if (scanner.peek() === '[') {
      header = scanner.readHeader();
      if (header === undefined) return { variables, isWhole: false };
    } else {
      const variable = scanner.readVariable();
      if (variable === undefined) return { variables, isWhole: false };
      variables.push({ ...header, ...variable });
    }
  }
  return { variables, isWhole: true };
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text.replace(/^\u00ef\u00bb\u00bf/, '').replaceAll('\r\n', '\n');
  }

  /** Returns the next character; the end counts as the end of a line, as in git. */
  peek(): string {
    return this.#text[this.#at] ?? '\n';
  }

  /** Skips blanks, empty lines and comments. Returns whether anything is left. */
  skipBetween(): boolean {
    this.#match(/(?:[ \t\n\r]+|[#;][^\n]*)*/y);
    return this.#at < this.#text.length;
  }

  /** Reads `[section]`, `[section "subsection"]` or `[section.subsection]`. */
  readHeader(): Pick<GitVariable, 'section' | 'subsection'> | undefined {
    const plain = this.#match(/\[([a-z0-9.-]+)\]/iy);
    if (plain !== undefined) return splitOldName(plain[1]!.toLowerCase());
    const quoted = this.#match(/\[([a-z0-9.-]+)[ \t\r]+"((?:[^"\\\n]|\\[^\n])*)"\]/iy);
    if (quoted === undefined) return undefined;
    return { section: quoted[1]!.toLowerCase(), subsection: quoted[2]!.replaceAll(/\\(.)/g, '$1') };
  }

  /** Reads a variable to the end of its value, which may be some lines further down. */
  readVariable(): Pick<GitVariable, 'key' | 'value'> | undefined {
    const found = this.#match(/([a-z][a-z0-9-]*)[ \t]*/iy);
    if (found === undefined) return undefined;
    const key = found[1]!.toLowerCase();
    if (this.#take() === '\n') return { key };
    if (this.#text[this.#at - 1] !== '=') return undefined;
    const value = this.#readValue();
    return value === undefined ? undefined : { key, value };
  }

  #readValue(): string | undefined {
    let value = '';
    let blanks = '';
    let isQuoted = false;
    for (;;) {
      const char = this.#take();
      if (char === '\n') return isQuoted ? undefined : value;
      if (!isQuoted && blank.test(char)) {
        if (value !== '') blanks += char;
        continue;
      }
      if (!isQuoted && (char === '#' || char === ';')) {
        this.#match(/[^\n]*/y);
        continue;
      }
      value += blanks;
      blanks = '';
      if (char === '"') isQuoted = !isQuoted;
      else if (char !== '\\') value += char;
      else {
        const next = this.#take();
        if (next !== '\n' && escapes[next] === undefined) return undefined;
        value += escapes[next] ?? '';
      }
    }
  }

  #take(): string {
    const char = this.peek();
    this.#at += 1;
    return char;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }
}

function splitOldName(name: string): Pick<GitVariable, 'section' | 'subsection'> {
  const dot = name.indexOf('.');
  return dot === -1 ? { section: name } : { section: name.slice(0, dot), subsection: name.slice(dot + 1) };
}
