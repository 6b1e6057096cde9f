import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { GbuildError, messageOf } from '../../errors.ts';
import { isThere, readBounded } from '../../fs/read-bounded.ts';
import { warnAbout } from '../check/warn.ts';
import type { SpecFile } from '../types.ts';
import { parseFile } from '../yaml/parse-file.ts';
import { fillSpec } from './fill.ts';
import { currentMajor, type MigrationTable, migrations } from './migrations.ts';
import { majorOf, specFormat } from './spec-format.ts';

/** Name of the file at the root of a repository. */
export const specFileName = 'gbuild.yml';

/**
 * Reads gbuild.yml: a file, or the one in a folder. `shownAs` is its name in messages. `knownTasks` are tasks that may
 * be needed without being in the file (a toolchain's own). Throws `spec-missing`, `workspace-unreadable`, or
 * `spec-invalid` with every mistake.
 */
export function readSpec(fileOrFolder: string, shownAs?: string, knownTasks: readonly string[] = []): SpecFile {
  const isOne = basename(fileOrFolder) === specFileName;
  const file = !isOne && isFolder(fileOrFolder) ? join(fileOrFolder, specFileName) : fileOrFolder;
  return parseSpec(readBytes(file), shownAs ?? basename(file), undefined, knownTasks);
}

/** Parses a spec from text or bytes. Pure. */
export function parseSpec(
  text: string | Uint8Array,
  fileName: string = specFileName,
  table: MigrationTable = { current: currentMajor, migrations },
  knownTasks: readonly string[] = [],
): SpecFile {
  const { output, source, tree, written, locate } = parseFile(text, fileName, specFormat(table, knownTasks));
  const major = majorOf(written) ?? table.current;
  const spec = fillSpec(output);
  const warnings = warnAbout(spec, tree, source);
  if (major !== table.current) {
    warnings.unshift(
      `${fileName}: written for major ${major} of this format; gbuild migrate rewrites it to ${table.current}`,
    );
  }
  return { spec, file: fileName, major, warnings, locate };
}

function readBytes(file: string): Buffer {
  try {
    return readBounded(file);
  } catch (error) {
    throw missingOrUnreadable(file, error);
  }
}

function missingOrUnreadable(file: string, error: unknown): GbuildError {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || isThere(file)) {
    return new GbuildError('workspace-unreadable', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const yaml = file.replace(/\.yml$/, '.yaml');
  if (yaml !== file && existsSync(yaml)) {
    const suggestions = [`mv ${basename(yaml)} ${basename(file)}`];
    return new GbuildError('spec-missing', `there is no ${file}; did you mean ${yaml}?`, { suggestions, cause: error });
  }
  return new GbuildError('spec-missing', `there is no ${file}`, { suggestions: ['gbuild init'], cause: error });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
