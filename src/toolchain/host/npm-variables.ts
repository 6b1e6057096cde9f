import { join } from 'node:path';
import { largestSettings, readTextIfAny } from '../../fs/read-bounded.ts';

/** A file of the caller's home that tools in a container read too, `to` being where. */
export interface HostFileRule {
  /** Below the home. */
  from: string;
  /** Absolute, in the container. */
  to: string;
  /** Only lines that match are taken: the others speak of the host's own folders. */
  keep?: string | undefined;
  /** The form in which it names the caller's variables, which are filled in. */
  variables?: 'npm' | undefined;
}

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
