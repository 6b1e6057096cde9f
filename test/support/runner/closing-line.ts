import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node';

/**
 * Ends all output with `N passed, N failed, N skipped`, after `matrix: ` for that tier. A failure outside of a test (a
 * suite's set-up, the engine's) counts as one failure each. So does a run without a test, or one that did not end
 * normally.
 */
export default class ClosingLine implements Reporter {
  #line = '0 passed, 1 failed, 0 skipped';
  #tier = '';

  onInit({ projects }: Vitest): void {
    if (projects.every(({ name }) => name === 'matrix')) this.#tier = 'matrix: ';
    // Printed after all output of other reporters and of the engine's teardown.
    process.once('exit', () => {
      if (this.#line.includes(' 0 failed')) {
        if (process.exitCode) this.#line = this.#line.replace(' 0 failed', ' 1 failed');
      } else process.exitCode ||= 1;
      process.stdout.write(`${this.#tier}${this.#line}\n`);
    });
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const { children } = module;
      for (const broken of [module, ...children.allSuites()]) count.failed += broken.errors().length > 0 ? 1 : 0;
      for (const test of children.allTests()) count[test.result().state] += 1;
    }
    if (count.passed + count.failed === 0) count.failed = 1;
    this.#line = `${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`;
  }
}
