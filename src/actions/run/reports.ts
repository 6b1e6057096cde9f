import { globSync } from 'node:fs';

/** Files of the workspace that a task's `reports` match, sorted. */
export function listReports(rootDir: string, globs: string[]): string[] {
  return globs.length === 0 ? [] : globSync(globs, { cwd: rootDir }).sort();
}
