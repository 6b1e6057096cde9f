import { readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { TestSpecification } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';
import { readLatestTimings, timingsDir } from './timings.ts';

/** Starts the files that took longest in the latest run first, so that no worker begins a long one when the others are done. */
export default class DearestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = new Map<string, number>();
    for (const { kind, name, seconds: took } of readLatestTimings(timingsDir))
      if (kind === 'file') seconds.set(name, took);
    // A file that no run has timed yet is as dear as it is long.
    const costOf = ({ moduleId, project }: TestSpecification) =>
      seconds.get(relative(project.globalConfig.root, moduleId)) ?? measureTests(moduleId) / 100;
    return files
      .map((file) => ({ file, cost: costOf(file) }))
      .sort((a, b) => b.cost - a.cost)
      .map(({ file }) => file);
  }
}

/** Bytes of a file of tests and of the suites that it calls, which may be all there is to it. */
function measureTests(file: string): number {
  const text = readFileSync(file, 'utf8');
  const suites = [...text.matchAll(/from '(\.[^']+-suite\.ts)'/g)].map((match) => join(dirname(file), match[1]!));
  return [file, ...suites].reduce((sum, each) => sum + statSync(each).size, 0);
}
