import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { GbuildError } from '../../errors.ts';
import { type RecipeFile, readRecipeFiles } from './catalog.ts';

/** Folder of the repository with a Dockerfile, as a toolchain. */
export interface ToolchainFolder {
  /** Path relative to the workspace's root. */
  path: string;
  files: RecipeFile[];
  /** Stage of the build image; undefined for the last one. */
  buildTarget?: string;
  /** Stage of the runtime image; undefined where the build image is the runtime too. */
  runtimeTarget?: string;
}

/**
 * Reads a toolchain folder of a repository. Throws 'toolchain-unknown' where the folder or its Dockerfile is missing.
 */
export function readToolchainFolder(rootDir: string, path: string): ToolchainFolder {
  const hostDir = join(rootDir, path);
  if (!existsSync(hostDir) || !statSync(hostDir).isDirectory()) {
    throw new GbuildError('toolchain-unknown', `toolchain: there is no folder ${path} in ${rootDir}`, {
      suggestions: [`mkdir -p ${path} and write ${path}/Dockerfile`, 'toolchain: node@^24 takes one of the catalog'],
    });
  }
  const files = readRecipeFiles(hostDir, () => false);
  const dockerfile = files.find((file) => file.path === 'Dockerfile');
  if (dockerfile === undefined) {
    throw new GbuildError('toolchain-unknown', `toolchain: the folder ${path} has no Dockerfile`, {
      suggestions: [`write ${path}/Dockerfile, with a stage "build" and, to ship on, a stage "runtime"`],
    });
  }
  const stages = parseStages(dockerfile.bytes.toString());
  return {
    path,
    files,
    ...(stages.includes('build') ? { buildTarget: 'build' } : {}),
    ...(stages.includes('runtime') ? { runtimeTarget: 'runtime' } : {}),
  };
}

/** Lists the names of a Dockerfile's stages (`FROM image AS name`), lower-cased as Docker compares them. */
function parseStages(dockerfile: string): string[] {
  const stages = dockerfile.matchAll(/^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*\S+[ \t]+AS[ \t]+(\S+)/gim);
  return [...stages].map((match) => (match[1] ?? '').toLowerCase());
}
