import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { splitCommandLine } from './command-line.ts';
import { type Chosen, conditionsHold, readFact } from './facts.ts';
import type { EntrypointRule, Fact } from './rule-schema.ts';

/** What an image starts where the spec is silent. */
export interface Start {
  command: string[];
  because: string;
}

/** A script may call another one, and that a third; a circle ends here. */
const maximumCalls = 5;

/** The first rule that holds and whose command can run where there are no build tools. */
export function readStart(
  rootDir: string,
  rules: EntrypointRule[],
  { chosen, buildOnly }: { chosen: Chosen; buildOnly: string[] },
): Start | undefined {
  for (const rule of rules) {
    const value = readFact(rootDir, rule.fact);
    if (value === undefined || !conditionsHold(rootDir, rule.when, chosen)) continue;
    if (rule.there.length > 0 && !rule.there.some((path) => existsSync(join(rootDir, fill(path, value))))) continue;
    const { line, calls } = followCalls(rootDir, rule, value);
    const command = rule.command?.map((word) => fill(word, value)) ?? splitCommandLine(line);
    if (callsOneOf(command, buildOnly)) continue;
    return { command, because: [rule.because, ...calls.map((name) => `which runs "${name}"`)].join(', ') };
  }
  return undefined;
}

/** Whether a command, or one of those in the line that a shell is given, is one of these programs. */
export function callsOneOf(command: string[], programs: string[]): boolean {
  const isShell = /(?:^|\/)(?:ba|da)?sh$/.test(command[0] ?? '') && command[1] === '-c';
  const lines = isShell ? (command[2] ?? '').split(/&&|\|\||[;|&\n]/) : [command[0] ?? ''];
  return lines.some((line) => {
    const words = line.trim().split(/\s+/);
    const program = words.find((word) => !/^\w+=/.test(word) && !['exec', 'env', 'cross-env'].includes(word)) ?? '';
    return programs.includes(program.replace(/^(?:\.\/|\/.*\/)/, ''));
  });
}

/** The line of the script that a line calls by name, and the names on the way. */
function followCalls(
  rootDir: string,
  { fact, follow }: EntrypointRule,
  value: string,
): { line: string; calls: string[] } {
  const calls: string[] = [];
  let line = value;
  while (follow !== undefined && calls.length < maximumCalls) {
    const name = new RegExp(follow.pattern).exec(line.trim())?.[1];
    const next = name === undefined ? undefined : readScript(rootDir, { file: fact.file, json: follow.json }, name);
    if (name === undefined || next === undefined) break;
    line = next;
    calls.push(name);
  }
  return { line, calls };
}

/** A name may have dots, which a path of a fact cannot. */
function readScript(rootDir: string, fact: Fact, name: string): string | undefined {
  const scripts: unknown = JSON.parse(readFact(rootDir, fact) ?? '{}');
  const line = Object.entries(scripts as object).find(([key]) => key === name)?.[1];
  return typeof line === 'string' ? line : undefined;
}

function fill(text: string, value: string): string {
  return text.replaceAll('{value}', value);
}
