import { defineConfig } from 'vitest/config';
import DearestFirst from './test/support/runner/dearest-first.ts';

/** The matrix tier: a file that only multiplies what another one holds has this in its name. `bin/test --matrix` runs it. */
const matrix = 'test/**/*.matrix.test.ts';

/**
 * Files that look at all that an engine has, count what another file's run may sweep, or make anew a base that others stand on: no
 * other file runs beside them.
 */
export const alone = ['run/attach', 'maintenance/kill', 'lock/lock-update'].map((name) => `test/e2e/${name}.test.ts`);

/**
 * Unit tests that start many programs (git, npm, shells) or build thousands of values: a third of the time of all. The standard
 * tier runs them; `npm run check`, the daily round, does without.
 */
export const thorough = [
  'actions/inspect/generated-plans',
  'actions/maintenance/store/mend-store',
  'bin/setup',
  'deliver/mutated',
  'put/s3/s3-credentials',
  'put/s3/s3-depot',
  'put/s3/s3-memory',
  'registry/http/faults',
  'spec/yaml/hostile',
  'sync/read/git-folders',
  'toolchain/build/download',
  'toolchain/host/proxy-options',
  'workspace/commit/compare-commit',
  'workspace/commit/revision',
  'workspace/git/git-config',
  'workspace/git/hostile-repository',
  'workspace/git/submodule',
].map((name) => `test/${name}.test.ts`);

const unit = {
  // A limit for what hangs: a busy machine takes many times what an idle one does.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Unit tests leave modules as they found them, so a worker loads each module once.
  isolate: false,
  maxWorkers: '100%',
};

const withEngine = {
  globalSetup: ['test/support/engines/engine-setup.ts'],
  // A limit for what hangs, here too: some tests make what they need first.
  testTimeout: 600_000,
  hookTimeout: 600_000,
};

export default defineConfig({
  test: {
    reporters: ['default', './test/support/runner/timings-reporter.ts', './test/support/runner/closing-line.ts'],
    sequence: { sequencer: DearestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/contract/**', 'test/e2e/**', 'test/support/**', ...thorough, matrix],
          ...unit,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { name: 'thorough', include: thorough, ...unit, sequence: { groupOrder: 0 } } },
      {
        test: {
          name: 'engine',
          include: ['test/contract/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          exclude: [...alone, matrix],
          ...withEngine,
          // They wait for engines, registries and child processes for a third of their time and more.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { name: 'alone', include: alone, ...withEngine, maxWorkers: 1, sequence: { groupOrder: 2 } } },
      { test: { name: 'matrix', include: [matrix], ...withEngine, maxWorkers: 3, sequence: { groupOrder: 3 } } },
    ],
  },
});
