import { posix } from 'node:path';

/** Class or jar that a `java` command line starts. */
export interface JavaCommand {
  /** Jar of `-jar`: its manifest names the class. */
  jar?: string;
  /** Class such as `com.example.Main`, on the class path. */
  mainClass?: string;
  /** Source of `java Main.java`, which is compiled first. */
  source?: string;
  /** Undefined where the command has none. */
  classPath?: string[];
  /** Jars of `-javaagent`. */
  agents: string[];
}

const valued =
  /^(?:-p|--module-path|--upgrade-module-path|--add-modules|--add-opens|--add-exports|--add-reads|--limit-modules|--patch-module|--enable-native-access|--source|--illegal-native-access)$/;
const ofClassPath = /^(?:-cp|-classpath|--class-path)$/;

/**
 * Parses a command; undefined for other programs than `java`. Undefined also for a module, an argument file, and other
 * starts that the words do not show.
 */
export function parseJavaCommand([program = '', ...words]: readonly string[]): JavaCommand | undefined {
  if (posix.basename(program) !== 'java') return undefined;
  const found: JavaCommand = { agents: [] };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    const next = words[at + 1] ?? '';
    const [, agent] = /^-javaagent:([^=]+)/.exec(word) ?? [];
    if (agent !== undefined) found.agents.push(agent);
    if (word === '-jar') return { ...found, jar: next };
    if (ofClassPath.test(word)) found.classPath = splitClassPath(next);
    else if (word.startsWith('--class-path=')) found.classPath = splitClassPath(word.slice('--class-path='.length));
    else if (/^(?:-m|--module)(?:=|$)/.test(word) || word.startsWith('@')) return undefined;
    if (ofClassPath.test(word) || valued.test(word)) at += 1;
    else if (!word.startsWith('-'))
      return word.endsWith('.java') ? { ...found, source: word } : { ...found, mainClass: word.replaceAll('/', '.') };
  }
  return undefined;
}

export function splitClassPath(text: string): string[] {
  return text.split(':').map((path) => (path === '' ? '.' : path));
}
