import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, inject } from 'vitest';
import { smallImage } from '../images/base-image.ts';
import { type EngineContainer, startEngineContainer } from './engine-container.ts';
import type { GenerationName } from './engine-generations.ts';
import { describeEngine, type Subject } from './engine-suite.ts';
import { describeImages } from './image-suite.ts';
import { describeServices } from './service-suite.ts';

/** Differences by nature; the rest is the same promise on every engine. */
const differences: Partial<Record<GenerationName, Partial<Subject>>> = {
  'docker 26, containerd store': { isCompressed: true },
  'docker 28, containerd store': { isCompressed: true },
  'podman 5.4, rootless': { ignoresLimits: true },
  'podman 5.8': { missingCommand: 1 },
};

/** Tests everything that an engine must do, on one of that generation. */
export function describeGeneration(name: GenerationName): void {
  describe(name, () => {
    let engine: EngineContainer;
    beforeAll(async () => {
      // The workspace of the suite is in the system's temporary folder.
      engine = await startEngineContainer(inject('engineHost'), [tmpdir()], name, smallImage);
    });
    afterAll(() => engine?.[Symbol.asyncDispose]());
    const open = async () => ({
      ...differences[name],
      host: engine.host,
      image: smallImage,
      async [Symbol.asyncDispose]() {},
    });
    describeEngine('as an engine', open);
    describeImages('with images', open);
    describeServices('with services', open);
  });
}
