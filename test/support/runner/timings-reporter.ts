import { rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Reporter, TestModule, Vitest } from 'vitest/node';
import {
  formatDearest,
  openSteps,
  type RunTimings,
  readSteps,
  type Timing,
  timingsDir,
  writeTimings,
} from './timings.ts';

const shown = 15;

/** Writes the time of each test file and each step of set-up below the tests' cache, and shows the longest. */
export default class TimingsReporter implements Reporter {
  readonly #startedAt = new Date().toISOString();
  readonly #started = performance.now();
  readonly #stepsFile = join(timingsDir, `.steps-${process.pid}`);
  #root = '';
  #projects: string[] = [];
  #files: Timing[] = [];

  onInit(vitest: Vitest): void {
    this.#root = vitest.config.root;
    this.#projects = vitest.projects.map(({ name }) => name);
    openSteps(this.#stepsFile);
    // The engine is stopped after the last reporter has run.
    process.once('exit', () => this.#write());
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    this.#files = modules.map((module) => {
      const { duration, collectDuration, prepareDuration, setupDuration } = module.diagnostic();
      const seconds = (duration + collectDuration + prepareDuration + setupDuration) / 1000;
      return { kind: 'file', name: relative(this.#root, module.moduleId), seconds };
    });
  }

  #write(): void {
    const run: RunTimings = {
      projects: this.#projects,
      startedAt: this.#startedAt,
      seconds: (performance.now() - this.#started) / 1000,
      timings: [...this.#files, ...readSteps(this.#stepsFile)],
    };
    rmSync(this.#stepsFile, { force: true });
    const hostFile = writeTimings(timingsDir, run);
    process.stdout.write(`\nThe dearest of ${run.timings.length} files and steps (${hostFile}):\n`);
    for (const line of formatDearest(run, shown)) process.stdout.write(`${line}\n`);
  }
}
