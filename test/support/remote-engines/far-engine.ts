import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Cli, type CliOptions, openCli } from '../cli/cli.ts';
import { type EngineContainer, startEngineContainer } from '../engines/engine-container.ts';
import type { GenerationName } from '../engines/engine-generations.ts';

/** Engine that sees no folder of this machine, with gbuild. */
export interface FarEngine extends AsyncDisposable {
  far: EngineContainer;
  cli: Cli;
}

export async function openFarEngine(
  outer: string,
  options: CliOptions,
  generation?: GenerationName,
): Promise<FarEngine> {
  const far = await startEngineContainer(outer, [], generation);
  const cli = openCli({ ...options, engine: far.host, ownCache: true });
  return {
    far,
    cli,
    async [Symbol.asyncDispose]() {
      cli[Symbol.dispose]();
      await far[Symbol.asyncDispose]();
    },
  };
}

/** Lists everything in a folder except for git's files and gbuild.lock, a line each, sorted. */
export function listTree(dir: string, folder = ''): string[] {
  const lines = readdirSync(join(dir, folder)).flatMap((name) => {
    const path = folder === '' ? name : `${folder}/${name}`;
    if (path === '.git' || path === 'gbuild.lock') return [];
    const stats = lstatSync(join(dir, path));
    const mode = (stats.mode & 0o7777).toString(8);
    if (stats.isSymbolicLink()) return [`${path} -> ${readlinkSync(join(dir, path))}`];
    return stats.isDirectory() ? [`${path}/ ${mode}`, ...listTree(dir, path)] : [`${path} ${mode} ${stats.size}`];
  });
  return lines.sort();
}

const types = { d: '%P/ %m', l: '%P -> %l', f: '%P %m %s' };
const prints = Object.entries(types).map(([type, format]) => `-type ${type} -printf '${format}\\n'`);

/** Script that lists the same in a container; `readSeen` reads its output. */
export const showTree = `find . -mindepth 1 -path ./.git -prune -o -path ./gbuild.lock -o \\( ${prints.join(' -o ')} \\)`;

/** Reads the listing. Names may have more than one line: compare with `flat(listTree(dir))`. */
export function readSeen(stdout: string): string[] {
  return stdout.trimEnd().split('\n').sort();
}

export function flat(lines: string[]): string[] {
  return readSeen(lines.join('\n'));
}
