import { posix } from 'node:path';

/** File that a command line makes its program read. */
export interface NamedScript {
  path: string;
  /** Endings that the program tries too: `main` may mean `main.js`. */
  endings: readonly string[];
  /** Files of which one makes a folder acceptable. */
  inFolder: readonly string[];
}

/** File or module that an option makes the program read before its script. */
export interface NamedFile {
  /** Option such as `--env-file`. */
  option: string;
  value: string;
  /** Whether a package's name is allowed instead of a path. */
  isModule: boolean;
}

/** Syntax of a program's command line up to the script; an unknown option ends the parsing. */
interface Interpreter {
  program: RegExp;
  /** Options without a value. */
  flags: RegExp;
  /** Options with the next word as their value. */
  valued: RegExp;
  /** Options that name a file, and options that name a module. */
  files?: RegExp;
  modules?: RegExp;
  endings?: readonly string[];
  inFolder?: readonly string[];
}

/** Names that Node tries for a path of a module. */
export const nodeModule = {
  endings: ['.js', '.json', '.node'],
  inFolder: ['package.json', 'index.js', 'index.json', 'index.node'],
};

const interpreters: Interpreter[] = [
  {
    program: /^(?:node|nodejs)$/,
    flags:
      /^(?:--[\w-]+=.*|--(?:enable|no|trace|inspect|preserve|use|harmony|experimental(?!-(?:loader|config-file)$)|throw|abort|expose|pending|allow|permission|warnings|deprecation)\b[\w-]*)$/,
    valued:
      /^(?:-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--title|--env-file|--env-file-if-exists)$/,
    files: /^--env-file$/,
    modules: /^(?:-r|--require|--import|--loader|--experimental-loader)$/,
    ...nodeModule,
  },
  {
    program: /^(?:ruby|jruby)[\d.]*$/,
    flags: /^(?:-[wUW]|-[IrEWK].+|--(?:yjit|jit|enable|disable|encoding)[\w=-]*)$/,
    valued: /^-[IrE]$/,
  },
  { program: /^python[\d.]*$/, flags: /^-(?:[uOBIEsSPbdqv]+|[WX].+)$/, valued: /^-[WX]$/, inFolder: ['__main__.py'] },
  { program: /^(?:ba|da|a|z)?sh$/, flags: /^[-+][euxvfahbmpl]+$/, valued: /^[-+][euxvfahbmpl]*o$/ },
];

/**
 * Finds the script of a command such as `node --enable-source-maps dist/main.js`; undefined where it has none, or an
 * unknown one.
 */
export function findNamedScript(words: readonly string[]): NamedScript | undefined {
  const { script, interpreter } = readWords(words);
  if (interpreter === undefined || script === undefined || script === '' || script === 'inspect') return undefined;
  const { endings = [], inFolder = [] } = interpreter;
  return { path: script, endings, inFolder };
}

/** Lists files and modules that options of a command name: `node --env-file .env -r ./trace.js x.js`. */
export function listNamedFiles(words: readonly string[]): NamedFile[] {
  return readWords(words).named;
}

interface ReadWords {
  interpreter?: Interpreter;
  named: NamedFile[];
  script?: string | undefined;
}

/** Reads a command line up to its script, or to an unknown option. */
function readWords([program = '', ...words]: readonly string[]): ReadWords {
  const interpreter = interpreters.find((each) => each.program.test(posix.basename(program)));
  const named: NamedFile[] = [];
  if (interpreter === undefined) return { named };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    const [, option = word, joined] = /^(--[\w-]+)=(.*)$/.exec(word) ?? [];
    const isValued = interpreter.valued.test(word);
    const value = isValued ? (words[at + 1] ?? '') : (joined ?? '');
    if (value !== '') {
      if (interpreter.files?.test(option)) named.push({ option, value, isModule: false });
      if (interpreter.modules?.test(option)) named.push({ option, value, isModule: true });
    }
    if (isValued) at += 1;
    else if (!interpreter.flags.test(word)) {
      // `node inspect FILE` starts the debugger.
      const script = word === '--' ? words[at + 1] : word.startsWith('-') ? undefined : word;
      return { interpreter, named, script };
    }
  }
  return { interpreter, named };
}
