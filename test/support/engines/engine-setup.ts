import type { TestProject } from 'vitest/node';
import { baseImage, ensureTestImage, removeTestImage } from '../images/base-image.ts';
import { timeStep } from '../runner/timings.ts';
import { startTestEngine, stopTestEngine, trimTestEngine } from './test-engine.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the tests' engine, as DOCKER_HOST spells it. */
    engineHost: string;
    /** Small Debian image that this engine has. */
    baseImage: string;
  }
}

/**
 * Gives the tests a real engine with the base image, also through DOCKER_HOST for every child process. Never skips:
 * without an engine it throws. An engine of the machine keeps none of it; the tests' own engine keeps its images for
 * the next run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const engine = await timeStep('start the engine of the tests', startTestEngine);
  process.env.DOCKER_HOST = engine.host;
  const imported = await ensureTestImage(engine.host, baseImage);
  project.provide('engineHost', engine.host);
  project.provide('baseImage', baseImage);
  return async () => {
    if (imported && !engine.own) await removeTestImage(engine.host, baseImage);
    if (!engine.started) return;
    await timeStep('trim what the engine of the tests keeps', () => trimTestEngine(engine.host));
    await timeStep('stop the engine of the tests', stopTestEngine);
  };
}
