import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { EntrypointRule } from '../catalog/rule-schema.ts';
import { splitCommandLine } from './command-line.ts';
import { type Chosen, conditionsHold, findFact, readFact } from './facts.ts';

/** Start command of an image where the spec has none. */
export interface Start {
  command: string[];
  because: string;
}

/** Start command of a repository that an image cannot use. */
export interface UnfitStart {
  /** Reason as a clause, and the text to write where it is better than an example. */
  unfit: { because: string; remedy?: string };
}

/** Number of calls: a script may call another one, and a circle must end. */
const maximumCalls = 5;

/**
 * Returns the command of the first rule that holds. A repository's own command is never replaced by a guess: where it
 * calls a build tool, no later rule is tried.
 */
export function readStart(
  rootDir: string,
  rules: EntrypointRule[],
  { chosen, buildOnly }: { chosen: Chosen; buildOnly: string[] },
): Start | UnfitStart | undefined {
  for (const rule of rules) {
    const found = findFact(rootDir, rule.fact);
    if (found === undefined || !conditionsHold(rootDir, rule.when, chosen)) continue;
    const { value, file, lineNumber } = found;
    if (rule.remedy !== undefined)
      return {
        unfit: {
          because: `it is not known what the command of ${file}:${lineNumber} is in the image: ${value}`,
          remedy: rule.remedy,
        },
      };
    if (rule.there.length > 0 && !rule.there.some((path) => existsSync(join(rootDir, fill(path, value))))) continue;
    const scripts = new ScriptReader(rootDir, rule);
    const commands = scripts.readCommands(value).map((line) => placeInImage(line, rule.inImage));
    if (rule.withoutFiles && commands.some((line) => namesFile(rootDir, line))) continue;
    const command = rule.command?.map((word) => fill(word, value)) ?? joinCommands(commands);
    const because = [rule.because, ...scripts.calls.map((name) => `which runs "${name}"`)].join(', ');
    const tool = findOneOf(command, buildOnly);
    if (tool === undefined) return { command, because };
    return { unfit: { because: `${because}, which calls ${tool}: the image to ship on lacks that` } };
  }
  return undefined;
}

function placeInImage(line: string, places: Record<string, string>): string {
  return Object.entries(places).reduce((text, [from, to]) => text.replaceAll(new RegExp(from, 'g'), () => to), line);
}

/** Whether a word of a command line is a file of the repository, or contains one after `=`, `:` or `,`. */
function namesFile(rootDir: string, line: string): boolean {
  const names = line.split(/[\s=:,"']+/).filter((name) => name !== '' && !name.startsWith('/'));
  return names.some((name) => statSync(join(rootDir, name), { throwIfNoEntry: false })?.isFile() === true);
}

/** Whether a command, or one in a shell's line, is one of these programs. */
export function callsOneOf(command: string[], programs: string[]): boolean {
  return findOneOf(command, programs) !== undefined;
}

function findOneOf(command: string[], programs: string[]): string | undefined {
  const isShell = /(?:^|\/)(?:ba|da)?sh$/.test(command[0] ?? '') && command[1] === '-c';
  const lines = isShell ? (command[2] ?? '').split(/&&|\|\||[;|&\n]/) : [command[0] ?? ''];
  const called = lines.map((line) => {
    const words = line.trim().split(/\s+/);
    const program = words.find((word) => !/^\w+=/.test(word) && !['exec', 'env', 'cross-env'].includes(word)) ?? '';
    return program.replace(/^(?:\.\/|\/.*\/)/, '');
  });
  return called.find((program) => programs.includes(program));
}

/** Reads the commands of a line; a called script is replaced by its own commands. */
class ScriptReader {
  readonly calls: string[] = [];
  readonly #rootDir: string;
  readonly #rule: EntrypointRule;

  constructor(rootDir: string, rule: EntrypointRule) {
    this.#rootDir = rootDir;
    this.#rule = rule;
  }

  /** Reads commands, without those that tasks have already run. */
  readCommands(value: string): string[] {
    const { fact, follow } = this.#rule;
    if (follow === undefined) return [value];
    const isScript = follow.file === undefined && fact.json?.startsWith(`${follow.json}.`) === true;
    const own = isScript ? fact.json!.slice(follow.json.length + 1) : undefined;
    const commands = [...(own === undefined ? [] : this.#readBefore(own)), ...this.#expand(value)];
    // A line with only such commands is started as it is.
    return commands.length === 0 ? [value] : commands;
  }

  #readBefore(name: string): string[] {
    const { before } = this.#rule.follow!;
    const line = before === undefined ? undefined : this.#readScript(`${before}${name}`);
    return line === undefined ? [] : this.#expand(line);
  }

  #expand(line: string): string[] {
    const { pattern, done } = this.#rule.follow!;
    const commands = splitCommands(line);
    // After a cd, script names belong to another folder's file.
    if (commands.some((command) => /^(?:cd|pushd)\b/.test(command))) return commands;
    return commands.flatMap((command) => {
      if (done !== undefined && new RegExp(done).test(command)) return [];
      const name = new RegExp(pattern).exec(command)?.[1];
      const next = name === undefined || this.calls.length >= maximumCalls ? undefined : this.#readScript(name);
      if (name === undefined || next === undefined) return [command];
      this.calls.push(name);
      return [...this.#readBefore(name), ...this.#expand(next)];
    });
  }

  /** Reads a script whose name may have dots, which a fact's path cannot. */
  #readScript(name: string): string | undefined {
    const { fact, follow } = this.#rule;
    const text = readFact(this.#rootDir, { file: follow!.file ?? fact.file, json: follow!.json }) ?? '{}';
    const line: unknown = Object.entries(parseScripts(text)).find(([key]) => key === name)?.[1];
    return typeof line === 'string' ? line : undefined;
  }
}

/** Parses the scripts; package managers refuse a value that is no object. */
function parseScripts(text: string): object {
  try {
    const scripts: unknown = JSON.parse(text);
    return typeof scripts === 'object' && scripts !== null ? scripts : {};
  } catch {
    return {};
  }
}

/**
 * Splits commands that are joined by `&&` alone. A line with any other shell syntax between commands is one command.
 */
function splitCommands(line: string): string[] {
  const text = line.trim();
  const isPlain = /&&/.test(text) && !/["'`\\;|(){}\n]|(?<!&)&(?!&)/.test(text);
  return isPlain ? text.split(/\s*&&\s*/) : [text];
}

/** Joins commands. The last of several replaces the shell by exec, so that it gets signals itself. */
function joinCommands(commands: string[]): string[] {
  const last = commands.at(-1) ?? '';
  const words = splitCommandLine(last);
  if (commands.length === 1) return words;
  const isShell = words[0] === '/bin/sh' && words[1] === '-c';
  const ending = isShell ? groupCommands(words[2]!) : `exec ${last}`;
  return ['/bin/sh', '-c', [...commands.slice(0, -1).map(groupCommands), ending].join(' && ')];
}

/** Groups a line of several commands, so that it acts as one in its surroundings. */
function groupCommands(line: string): string {
  return /[;|&\n]/.test(line) ? `{ ${line}\n}` : line;
}

function fill(text: string, value: string): string {
  return text.replaceAll('{value}', value);
}
