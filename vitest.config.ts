import { defineConfig } from 'vitest/config';

const engine = { globalSetup: ['test/support/engine-setup.ts'], testTimeout: 120_000, hookTimeout: 600_000 };

export default defineConfig({
  test: {
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/contract/**', 'test/e2e/**', 'test/support/**'],
        },
      },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], ...engine } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], ...engine } },
    ],
  },
});
