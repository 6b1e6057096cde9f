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

/** Secret whose source is this machine, not the repository: a program to run, or a file outside. */
export interface HostSource {
  name: string;
  source: SecretSpec;
  /** Target of the repository's file where it is a link. */
  leadsTo?: string;
  /** Data that decides what is run or read. */
  sealed: readonly unknown[];
}

/**
 * Lists, by name, the secrets that a repository gets only with the caller's consent. Runs nothing and reads no secret.
 */
export function listHostSources(
  secrets: Readonly<Record<string, SecretSpec>>,
  context: SecretFileContext,
): HostSource[] {
  return Object.entries(secrets)
    .flatMap(([name, source]) => describeSource(name, source, context) ?? [])
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Computes the digest of the caller's consent: the same on every machine, in any order of the secrets. */
export function digestSources(sources: readonly HostSource[]): Digest {
  return digestOf(Buffer.from(JSON.stringify(['gbuild trust 1', ...sources.map(({ sealed }) => sealed)])));
}

/** Returns the path of a secret's `file`. */
export function resolveSecretFile(file: string, { rootDir, homeDir }: SecretFileContext): string {
  return file.startsWith('~/') ? join(homeDir, file.slice(2)) : resolve(rootDir, file);
}

/**
 * Whether the file, with links followed, belongs to the repository. Files in `.git` do not, because they hold the
 * caller's credentials.
 */
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
  // The repository may later change its own link; a link outside belongs to the caller.
  const leadsTo = isBelow(path, rootDir) ? followLinks(path) : undefined;
  return leadsTo === undefined ? { name, source, sealed } : { name, source, leadsTo, sealed: [...sealed, leadsTo] };
}

/** Includes files of the repository that a command line names: a changed script is another command. */
function sealNamedFiles([program = '', ...args]: readonly string[], rootDir: string): [string, string][] {
  // A program without a slash is found in the caller's PATH.
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

/** Hashes a file; undefined for anything but a regular file. */
function hashFile(path: string): string | undefined {
  try {
    const hash = createHash('sha256');
    for (const piece of readPieces(path)) hash.update(piece);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}

/** Returns the real path; the missing end of a path stays as it is. */
function followLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(followLinks(parent), basename(path));
  }
}
