import { readlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import { largestDocument, largestSettings, readTextIfAny } from '../../fs/read-bounded.ts';

/** Package of a command. */
export interface CommandPackage {
  name: string;
  /** Whether package.json names it for development only. */
  isDevelopment: boolean;
}

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  scripts?: Record<string, unknown>;
  optionalDependencies?: Record<string, string>;
  packages?: Record<string, { bin?: Record<string, string>; dev?: boolean }>;
}

/**
 * Finds the package of a command: by the link in node_modules/.bin where packages are installed, by npm's lock, or by
 * the package's own name. Undefined where none of them has it.
 */
export function findCommandPackage(rootDir: string, command: string): CommandPackage | undefined {
  const { dependencies, optionalDependencies, devDependencies } = readJson(
    join(rootDir, 'package.json'),
    largestSettings,
  );
  const production = { ...dependencies, ...optionalDependencies };
  const linked = readLinked(rootDir, command);
  if (linked !== undefined && Object.hasOwn(devDependencies ?? {}, linked))
    return { name: linked, isDevelopment: !Object.hasOwn(production, linked) };
  const locked = Object.entries(readJson(join(rootDir, 'package-lock.json'), largestDocument).packages ?? {}).find(
    ([path, { bin }]) => /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path) && Object.hasOwn(bin ?? {}, command),
  );
  if (locked !== undefined)
    return { name: locked[0].slice('node_modules/'.length), isDevelopment: locked[1].dev === true };
  if (Object.hasOwn(production, command)) return { name: command, isDevelopment: false };
  return Object.hasOwn(devDependencies ?? {}, command) ? { name: command, isDevelopment: true } : undefined;
}

/** Finds the purpose for which package.json names a module; undefined where it does not name it. */
export function findModulePurpose(rootDir: string, name: string): 'production' | 'development' | undefined {
  const { dependencies, optionalDependencies, devDependencies } = readJson(
    join(rootDir, 'package.json'),
    largestSettings,
  );
  if (Object.hasOwn({ ...dependencies, ...optionalDependencies }, name)) return 'production';
  return Object.hasOwn(devDependencies ?? {}, name) ? 'development' : undefined;
}

/** Finds name and line of the script by which Node projects start the built code, where `start` is for developers. */
export function findProductionScript(rootDir: string): { name: string; line: string } | undefined {
  const { scripts = {} } = readJson(join(rootDir, 'package.json'), largestSettings);
  const found = Object.entries(scripts).find(([name]) => /^(?:start|serve)[:-]prod(?:uction)?$/.test(name));
  return found !== undefined && typeof found[1] === 'string' ? { name: found[0], line: found[1] } : undefined;
}

function readLinked(rootDir: string, command: string): string | undefined {
  try {
    const target = posix.join('node_modules/.bin', readlinkSync(join(rootDir, 'node_modules/.bin', command)));
    return /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/.@][^/]*)\/(?!.*\/node_modules\/)/.exec(target)?.[1];
  } catch {
    return undefined;
  }
}

function readJson(file: string, limit: number): Manifest {
  try {
    const parsed: unknown = JSON.parse(readTextIfAny(file, limit) ?? '{}');
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
