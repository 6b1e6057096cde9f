import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { readPieces } from '../fs/read-bounded.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import type { SecretSpec } from '../spec/types.ts';

export interface SecretFileContext {
  rootDir: string;
  homeDir: string;
}

/** A secret whose source is this machine's, not the repository's: a program to run, or a file elsewhere. */
export interface HostSource {
  name: string;
  source: SecretSpec;
  /** Where the repository's own file leads by a link. */
  leadsTo?: string;
  /** Everything that decides what is run or read, as plain data. */
  sealed: readonly unknown[];
}

/** Lists the secrets that a repository may have only when the caller agrees, by name. Runs nothing and reads no secret. */
export function listHostSources(
  secrets: Readonly<Record<string, SecretSpec>>,
  context: SecretFileContext,
): HostSource[] {
  return Object.entries(secrets)
    .flatMap(([name, source]) => describeSource(name, source, context) ?? [])
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Digest of what the caller agrees to: the same on every machine, in whatever order the secrets are written. */
export function digestSources(sources: readonly HostSource[]): Digest {
  return digestOf(Buffer.from(JSON.stringify(['gbuild trust 1', ...sources.map(({ sealed }) => sealed)])));
}

/** The path that `file` of a secret names. */
export function resolveSecretFile(file: string, { rootDir, homeDir }: SecretFileContext): string {
  return file.startsWith('~/') ? join(homeDir, file.slice(2)) : resolve(rootDir, file);
}

/** Does the file, links followed, belong to the repository? What lies in `.git` holds the caller's credentials: it does not. */
export function isOfRepository(file: string, rootDir: string): boolean {
  const [root, path] = [followLinks(rootDir), followLinks(file)];
  return isBelow(path, root) && !relative(root, path).toLowerCase().split(sep).includes('.git');
}

function describeSource(name: string, source: SecretSpec, context: SecretFileContext): HostSource | undefined {
  const { file, command } = source;
  const { rootDir } = context;
  if (command !== undefined)
    return { name, source, sealed: [name, 'command', command, sealNamedFiles(command, rootDir)] };
  if (file === undefined) return undefined;
  const path = resolveSecretFile(file, context);
  if (isOfRepository(path, rootDir)) return undefined;
  const sealed = [name, 'file', file];
  // A link of the repository may be turned elsewhere later; one outside of it is the caller's own.
  const leadsTo = isBelow(path, rootDir) ? followLinks(path) : undefined;
  return leadsTo === undefined ? { name, source, sealed } : { name, source, leadsTo, sealed: [...sealed, leadsTo] };
}

/** Files of the repository that a command line names are part of what is run: a changed script is another command. */
function sealNamedFiles([program = '', ...args]: readonly string[], rootDir: string): [string, string][] {
  // A program without a slash is looked up in the caller's PATH.
  const line = program.includes('/') ? [program, ...args] : args;
  const words = new Set(line.flatMap((word) => [word, ...word.split(/[\s;&|<>()"'`$=,:]+/)]));
  return [...words].sort().flatMap((word): [string, string][] => {
    const path = resolve(rootDir, word);
    if (!isBelow(path, rootDir)) return [];
    const real = followLinks(path);
    const sealed = isBelow(real, followLinks(rootDir)) ? hashFile(path) : real;
    return sealed === undefined ? [] : [[word, sealed]];
  });
}

function isBelow(path: string, dir: string): boolean {
  const steps = relative(dir, path).split(sep);
  return steps[0] !== '' && steps[0] !== '..';
}

/** Undefined for what is no regular file. */
function hashFile(path: string): string | undefined {
  try {
    const hash = createHash('sha256');
    for (const piece of readPieces(path)) hash.update(piece);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}

/** The real path; of what is not there, as far as it is there. */
function followLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(followLinks(parent), basename(path));
  }
}
