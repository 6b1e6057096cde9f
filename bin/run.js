#!/usr/bin/env node
// Entry point: answers --version and --help before anything is loaded, keeps compiled code between starts, then starts
// the command.

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(
    `error: gbuild needs Node 22.13 or later, this is ${process.versions.node}\n  try: npm install -g node@24\n`,
  );
  process.exit(2);
}

// Loaded in this way because the facade of an import touches every export, and some of them load half of Node.
const { existsSync, readFileSync } = process.getBuiltinModule('node:fs');
const { enableCompileCache } = process.getBuiltinModule('node:module');
const { fileURLToPath } = process.getBuiltinModule('node:url');

const rootDir = fileURLToPath(new URL('..', import.meta.url));
/** Global flags and the engine's, as in `baseFlags` and `engineFlags` of src/commands/base/base-command.ts. */
const flagsWithValue = ['-C', '--directory', '-H', '--host', '--context', '--machine'];
const flagsAlone = ['-q', '--quiet', '-v', '--verbose', '--json'];
const { words, flags, rest } = divideWords(process.argv.slice(2));
const printed = printedAnswer();
if (printed !== undefined) {
  process.stdout.write(printed);
} else {
  enableCompileCache();
  const { main } = await import('../dist/main.js');
  // Not awaited: when a reader has closed the output, oclif would wait for ever for it to drain; now the process just
  // ends.
  main([...words, ...flags, ...rest], rootDir);
}

/** Returns the answers that need no command: the version, and help as the build wrote it. */
function printedAnswer() {
  if (words.length === 0 && rest[0] === '--version') {
    const { name, version } = JSON.parse(readFileSync(`${rootDir}/package.json`, 'utf8'));
    return `${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`;
  }
  const end = rest.indexOf('--');
  const own = end === -1 ? rest : rest.slice(0, end);
  const isBare = words.length + flags.length + own.length === 0;
  if (!isBare && !own.includes('--help')) return undefined;
  if (!words.every((word) => /^[a-z]+$/.test(word))) return undefined;
  const file = `${rootDir}/dist/help/${words.join('-') || 'index'}.txt`;
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/**
 * Divides a command line: the words of the command, the global flags among and before them, and everything from the
 * first other flag on. oclif needs a command before its flags.
 */
function divideWords(given) {
  const divided = { words: [], flags: [], rest: [] };
  let at = 0;
  while (at < given.length) {
    const length = given[at].startsWith('-') ? countFlagWords(given[at]) : 0;
    if (length === undefined) break;
    divided[length === 0 ? 'words' : 'flags'].push(...given.slice(at, at + (length || 1)));
    at += length || 1;
  }
  return { ...divided, rest: given.slice(at) };
}

/** Counts the words of a global flag with its value: 1 for `-q`, `-CDIR` and `--host=URL`, 2 for `-C DIR` and `-qC DIR`. */
function countFlagWords(word) {
  if (flagsAlone.includes(word)) return 1;
  if (flagsWithValue.includes(word)) return 2;
  if (word.startsWith('--')) return flagsWithValue.includes(word.split('=')[0]) ? 1 : undefined;
  const letters = [...word.slice(1)];
  const valued = letters.findIndex((letter) => !flagsAlone.includes(`-${letter}`));
  if (valued === -1) return letters.length > 0 ? 1 : undefined;
  if (!flagsWithValue.includes(`-${letters[valued]}`)) return undefined;
  return valued === letters.length - 1 ? 2 : 1;
}
