import { readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';
import { readLatestTimings, timingsDir } from './timings.ts';

/** Starts the slowest files of the latest run first, so that no worker starts a long one when the others are done. */
export default class DearestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = new Map<string, number>();
    for (const { kind, name, seconds: took } of readLatestTimings(timingsDir))
      if (kind === 'file') seconds.set(name, took);
    // A file without a known time counts by its length.
    const costOf = ({ moduleId, project }: TestSpecification) =>
      seconds.get(relative(project.globalConfig.root, moduleId)) ?? measureTests(moduleId) / 100;
    return files
      .map((file) => ({ file, cost: costOf(file) }))
      .sort((a, b) => b.cost - a.cost)
      .map(({ file }) => file);
  }
}

/** Measures a test file in bytes, with the suites that it calls, which may hold most of the tests. */
function measureTests(file: string): number {
  const text = readFileSync(file, 'utf8');
  const suites = [...text.matchAll(/from '(\.[^']+-suite\.ts)'/g)].map((match) => join(dirname(file), match[1]!));
  return [file, ...suites].reduce((sum, each) => sum + statSync(each).size, 0);
}
