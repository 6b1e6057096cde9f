import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { ToolchainData } from '../catalog/catalog-schema.ts';
import type { Fact } from '../catalog/rule-schema.ts';
import { listFitting } from './detect.ts';
import { readFact } from './facts.ts';

/** Folders with foreign projects or build outputs. */
const passedOver = new Set(['node_modules', 'vendor', 'target', 'build', 'dist', 'out', 'tmp']);

/** Limits of the search below a folder: levels, folders to read, and projects to name. */
const mostLevels = 3;
const mostFolders = 2000;
const mostProjects = 10;

/**
 * Finds the project of a folder without a gbuild.yml: the nearest of these folders that is a project by its files, or
 * the one above that has it as a member. `folders` goes from the caller's folder upwards. Undefined where none is a
 * project.
 */
export function findProject(folders: string[], catalog: Catalog): string | undefined {
  const nearest = folders.find((folder) => listFitting(folder, catalog).length > 0);
  if (nearest === undefined) return undefined;
  const fitting = listFitting(nearest, catalog);
  if (fitting.some(({ detect }) => holds(nearest, [...detect.own, ...detect.members]))) return nearest;
  const above = folders.slice(folders.indexOf(nearest) + 1);
  return above.find((folder) => fitting.some((data) => takesMembers(folder, data))) ?? nearest;
}

function takesMembers(folder: string, { detect }: ToolchainData): boolean {
  return holds(folder, detect.any) && holds(folder, detect.members);
}

function holds(folder: string, facts: Fact[]): boolean {
  return facts.some((fact) => readFact(folder, fact) !== undefined);
}

/** Lists folders below one that look like projects, relative to it and sorted, without projects inside of others. */
export function listProjectsBelow(dir: string, catalog: Catalog): string[] {
  const found: string[] = [];
  let level = [''];
  let left = mostFolders;
  for (let depth = 0; depth < mostLevels && found.length < mostProjects; depth++) {
    const below = level.flatMap((folder) => listFolders(join(dir, folder)).map((name) => join(folder, name)));
    level = [];
    for (const folder of below.slice(0, left)) {
      const path = join(dir, folder);
      const isProject = existsSync(join(path, 'gbuild.yml')) || listFitting(path, catalog).length > 0;
      (isProject ? found : level).push(folder);
    }
    left -= below.length;
  }
  return found.slice(0, mostProjects).sort();
}

/** Lists folders without following links, which may lead anywhere. */
function listFolders(dir: string): string[] {
  try {
    const entries = readdirSync(dir, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
    return folders
      .map(({ name }) => name)
      .filter((name) => !passedOver.has(name))
      .sort();
  } catch {
    return [];
  }
}
