import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.ts';
import type { ToolchainData } from '../catalog/catalog-schema.ts';
import type { Fact } from '../catalog/rule-schema.ts';
import { listFitting } from './detect.ts';
import { readFact } from './facts.ts';

/** Folders in which projects of others lie, or what a build made. */
const passedOver = new Set(['node_modules', 'vendor', 'target', 'build', 'dist', 'out', 'tmp']);

/** How far below a folder projects are looked for, how many folders are looked into, and how many projects are named. */
const mostLevels = 3;
const mostFolders = 2000;
const mostProjects = 10;

/**
 * Finds the project that a folder without a gbuild.yml belongs to: the nearest of these folders that is one by its files, or the one
 * above that takes it in as a member. `folders` goes from where the caller stands upwards. Undefined where none is a project.
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

/** Lists folders below one that look like projects, relative to it and sorted, and none inside of another. */
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

/** Links are not followed: what they lead to may be anywhere. */
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
