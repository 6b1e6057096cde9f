import { join } from 'node:path';
import { stringify } from 'yaml';
import { GbuildError, messageOf } from '../../errors.ts';
import { isThere, readBounded } from '../../fs/read-bounded.ts';
import { toolchainKindOf } from '../schema/toolchain-schema.ts';
import { readExactVersion } from '../schema/version-text.ts';
import type { PathKey, Position } from '../types.ts';
import { writeTextAtomic } from '../write/atomic-write.ts';
import { quote } from '../yaml/mistakes.ts';
import { type FileFormat, parseFile } from '../yaml/parse-file.ts';
import type { Source } from '../yaml/source.ts';
import { findTree, type YamlTree } from '../yaml/tree.ts';
import { lockSchema } from './lock-schema.ts';
import type { Lock } from './lock-types.ts';

export const lockFileName = 'gbuild.lock';

const header = '# What the toolchain of gbuild.yml was resolved to. Written by gbuild: commit it, do not edit it.\n';

const lockFormat: FileFormat<Lock> = {
  code: 'lock-invalid',
  versionKey: 'lock',
  title: 'a lock',
  suggestions: [`rm ${lockFileName}   # the next run resolves the toolchain again and writes a new one`],
  schema: lockSchema,
  check: refuseInexact,
  upgrade: (_, tree, source) => refuseNewer(tree, source),
};

/** Reads the lock of a repository; undefined where it is missing. Throws `lock-invalid` with every mistake. */
export function readLock(rootDir: string): Lock | undefined {
  const file = join(rootDir, lockFileName);
  try {
    return parseLock(readBounded(file));
  } catch (error) {
    if (error instanceof GbuildError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !isThere(file)) return undefined;
    throw new GbuildError('workspace-unreadable', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Returns the position of a key in a repository's lock, for messages; undefined where key or lock is missing. */
export function locateInLock(rootDir: string, path: readonly PathKey[]): Position | undefined {
  const file = join(rootDir, lockFileName);
  return parseFile(readBounded(file), lockFileName, lockFormat).locate(path);
}

/** Parses a lock from text or bytes. Pure. */
export function parseLock(text: string | Uint8Array, fileName: string = lockFileName): Lock {
  return parseFile(text, fileName, lockFormat).output;
}

/** Formats a lock with its keys in a fixed order, so that a commit shows only real changes. */
export function formatLock({ toolchain }: Lock): string {
  const { request, name, version, options, recipe, registry, platforms } = toolchain;
  const sorted = {
    lock: 1,
    toolchain: {
      request,
      name,
      version,
      ...(options !== undefined && Object.keys(options).length > 0 && { options: sortKeys(options) }),
      recipe,
      ...(registry !== undefined && { registry }),
      platforms: sortKeys(platforms, ({ build, runtime, base, source, tools, packages, runtimePackages }) => ({
        build,
        ...(runtime !== undefined && { runtime }),
        ...(base !== undefined && { base }),
        ...(source !== undefined && { source }),
        ...(tools !== undefined && { tools: sortKeys(tools) }),
        ...(packages !== undefined && { packages }),
        ...(runtimePackages !== undefined && { runtimePackages: sortKeys(runtimePackages) }),
      })),
    },
  };
  return header + stringify(sorted, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Writes the lock atomically: a reader sees the old one or the new one, never a part of one. */
export function writeLock(rootDir: string, lock: Lock): void {
  writeTextAtomic(join(rootDir, lockFileName), formatLock(lock));
}

function refuseNewer(tree: YamlTree, source: Source) {
  const version = findTree(tree, ['lock']);
  const { value, from, to } = version.tree;
  if (!version.whole || typeof value !== 'number' || value <= 1) return [];
  const hint = 'the lock is made by a newer gbuild: upgrade yours';
  return [source.mistakeAt(from, to, { path: ['lock'], expected: 'at most 1', found: String(value), hint })];
}

/**
 * Refuses an inexact version. Only a catalog's version is exact, or short where a Debian suite decides the rest (`21`).
 * An image's version is its tag or digest, a folder's the start of its recipe. The catalog decides whether the version
 * exists.
 */
function refuseInexact(tree: YamlTree, source: Source) {
  const path = ['toolchain', 'version'];
  const request = findTree(tree, ['toolchain', 'request']).tree.value;
  const version = findTree(tree, path);
  const { value, from, to } = version.tree;
  if (!version.whole || typeof value !== 'string' || typeof request !== 'string') return [];
  if (toolchainKindOf(request) !== 'catalog' || readExactVersion(value) !== null || /^\d+(\.\d+)?$/.test(value))
    return [];
  return [source.mistakeAt(from, to, { path, expected: 'an exact version', found: quote(value) })];
}

function sortKeys<T>(record: Record<string, T>, convert: (value: T) => T = (value) => value): Record<string, T> {
  return Object.fromEntries(
    Object.keys(record)
      .sort()
      .map((key) => [key, convert(record[key] as T)]),
  );
}
