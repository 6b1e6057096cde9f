import { join } from 'node:path';
import { largestSettings, readTextIfAny } from '../../fs/read-bounded.ts';

/** File of the caller's home folder that tools in a container read too. */
export interface HostFileRule {
  /** Path below the home folder. */
  from: string;
  /** Absolute path in the container. */
  to: string;
  /** Pattern of lines to keep: the others name folders of the host. */
  keep?: string | undefined;
  /** Syntax of the caller's variables in it, which are filled in. */
  variables?: 'npm' | undefined;
}

/** References: `${NAME}`, `${NAME?}` for an optional one, and `${NAME-text}` or `${NAME:-text}` with a default. */
const reference = /(?<!\\)\$\{(\w+)(\?|:?-[^}]*)?\}/g;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Fills in the variables of settings in npm's syntax. A container lacks the caller's variables, and package managers
 * refuse to run with an unset one: a line with an unset variable is left out.
 */
export function fillVariables(text: string, env: Environment): string {
  const isUnset = (name: string) => env[name] === undefined || env[name] === '';
  const isLost = (line: string) =>
    [...line.matchAll(reference)].some(([, name, rest]) => rest === undefined && isUnset(name!));
  const fill = (_: string, name: string, rest = '') => (isUnset(name) ? rest.replace(/^(?:\?|:?-)/, '') : env[name]!);
  return text
    .split('\n')
    .filter((line) => !isLost(line))
    .map((line) => line.replace(reference, fill))
    .join('\n');
}

/** Lists variables that the repository's own settings name and that its tasks do not get, with the file of each. */
export function listMissingVariables(
  rootDir: string,
  rules: readonly HostFileRule[],
  isPassed: (name: string) => boolean,
): { file: string; name: string }[] {
  return rules
    .filter(({ variables }) => variables === 'npm')
    .flatMap(({ from: file }) => {
      const found = [...(readTextIfAny(join(rootDir, file), largestSettings) ?? '').matchAll(reference)];
      const names = new Set(found.flatMap(([, name, rest]) => (rest === undefined && !isPassed(name!) ? [name!] : [])));
      return [...names].map((name) => ({ file, name }));
    });
}
