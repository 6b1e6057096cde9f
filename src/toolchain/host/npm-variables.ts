import { join } from 'node:path';
import { largestSettings, readTextIfAny } from '../../fs/read-bounded.ts';
import type { HostFileRule } from './host-files.ts';

/** `${NAME}`, `${NAME?}`, which may be unset, and `${NAME-text}` or `${NAME:-text}`, which says what it is then. */
const reference = /(?<!\\)\$\{(\w+)(\?|:?-[^}]*)?\}/g;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Fills in the variables of settings in npm's form. A container has not got the caller's variables, and package managers refuse to run where
 * one is unset: a line whose variable is unset is left out.
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

/** Variables that the repository's own settings name and its tasks do not get, with the file that names each. */
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
