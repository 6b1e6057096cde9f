import { posix } from 'node:path';

/** A file that a command line makes its program read. */
export interface NamedScript {
  path: string;
  /** Endings that the program tries, too: `main` may mean `main.js`. */
  endings: readonly string[];
  /** A folder that has one of these files will do. */
  inFolder: readonly string[];
}

/** How a program reads its command line up to the script; an option that is in none of these ends what is known of it. */
interface Interpreter {
  program: RegExp;
  /** Options alone. */
  flags: RegExp;
  /** Options that take the next word. */
  valued: RegExp;
  endings?: readonly string[];
  inFolder?: readonly string[];
}

const interpreters: Interpreter[] = [
  {
    program: /^(?:node|nodejs)$/,
    flags:
      /^(?:--[\w-]+=.*|--(?:enable|no|trace|inspect|preserve|use|harmony|experimental(?!-(?:loader|config-file)$)|throw|abort|expose|pending|allow|permission|warnings|deprecation)\b[\w-]*)$/,
    valued:
      /^(?:-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--title|--env-file|--env-file-if-exists)$/,
    endings: ['.js', '.json', '.node'],
    inFolder: ['package.json', 'index.js', 'index.json', 'index.node'],
  },
  {
    program: /^(?:ruby|jruby)[\d.]*$/,
    flags: /^(?:-[wUW]|-[IrEWK].+|--(?:yjit|jit|enable|disable|encoding)[\w=-]*)$/,
    valued: /^-[IrE]$/,
  },
  { program: /^python[\d.]*$/, flags: /^-(?:[uOBIEsSPbdqv]+|[WX].+)$/, valued: /^-[WX]$/, inFolder: ['__main__.py'] },
  { program: /^(?:ba|da|a|z)?sh$/, flags: /^[-+][euxvfahbmpl]+$/, valued: /^[-+][euxvfahbmpl]*o$/ },
];

/** The script of a command such as `node --enable-source-maps dist/main.js`; undefined where there is none, or none is known. */
export function findNamedScript([program = '', ...words]: readonly string[]): NamedScript | undefined {
  const interpreter = interpreters.find((each) => each.program.test(posix.basename(program)));
  if (interpreter === undefined) return undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    if (interpreter.valued.test(word)) at += 1;
    else if (!interpreter.flags.test(word)) {
      const path = word === '--' ? words[at + 1] : word.startsWith('-') ? undefined : word;
      const { endings = [], inFolder = [] } = interpreter;
      // `node inspect FILE` is its debugger.
      return path === undefined || path === '' || path === 'inspect' ? undefined : { path, endings, inFolder };
    }
  }
  return undefined;
}
