import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, inject } from 'vitest';
import { ensureTestImage, removeTestImage, smallImage } from '../support/base-image.ts';
import { type EngineContainer, startEngineContainer } from '../support/engine-container.ts';
import type { GenerationName } from '../support/engine-generations.ts';
import { describeEngine, type Subject } from '../support/engine-suite.ts';
import { describeImages } from '../support/image-suite.ts';
import { describeServices } from '../support/service-suite.ts';
import { ownHost } from '../support/test-engine.ts';

/** What differs by nature; the rest is the same promise on every engine. */
const differences: [GenerationName, Omit<Subject, 'host' | 'image' | typeof Symbol.asyncDispose>][] = [
  ['docker 26', {}],
  ['docker 26, containerd store', { isCompressed: true }],
  ['docker 28', {}],
  ['docker 28, containerd store', { isCompressed: true }],
  ['podman 5.4', {}],
  ['podman 5.4, rootless', { ignoresLimits: true }],
  ['podman 5.8', { missingCommand: 1 }],
];

describe.each(differences)('%s', (name, differs) => {
  let engine: EngineContainer;
  beforeAll(async () => {
    // The workspace of the suite is in the folder for temporary files.
    engine = await startEngineContainer(inject('engineHost'), [tmpdir()], name, smallImage);
  });
  afterAll(() => engine?.[Symbol.asyncDispose]());
  const open = async () => ({
    ...differs,
    host: engine.host,
    image: smallImage,
    async [Symbol.asyncDispose]() {},
  });
  describeEngine('as an engine', open);
  describeImages('with images', open);
  describeServices('with services', open);
});

const openOldest = async () => {
  const host = inject('engineHost');
  const imported = await ensureTestImage(host, smallImage);
  return {
    host,
    image: smallImage,
    async [Symbol.asyncDispose]() {
      if (imported && host !== ownHost) await removeTestImage(host, smallImage);
    },
  };
};
describeImages('docker 20.10 with images', openOldest);
describeServices('docker 20.10 with services', openOldest);
