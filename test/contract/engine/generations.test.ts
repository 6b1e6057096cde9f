import { inject } from 'vitest';
import { describeGeneration } from '../../support/engines/generation-suite.ts';
import { describeImages } from '../../support/engines/image-suite.ts';
import { describeServices } from '../../support/engines/service-suite.ts';
import { ownHost } from '../../support/engines/test-engine.ts';
import { ensureTestImage, removeTestImage, smallImage } from '../../support/images/base-image.ts';

// Beside the oldest engine one containerd store and one podman; the matrix tier has the others.
describeGeneration('docker 26, containerd store');
describeGeneration('podman 5.4');

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
