import { defineConfig } from 'vitest/config';

/** One file at a time: some look at all that an engine has, or take away whatever came to it meanwhile. */
const engine = {
  globalSetup: ['test/support/engine-setup.ts'],
  testTimeout: 120_000,
  hookTimeout: 600_000,
  maxWorkers: 1,
  sequence: { groupOrder: 1 },
};

export default defineConfig({
  test: {
    reporters: ['default', './test/support/timings-reporter.ts', './test/support/closing-line.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/contract/**', 'test/e2e/**', 'test/support/**'],
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], ...engine } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...engine } },
    ],
  },
});
