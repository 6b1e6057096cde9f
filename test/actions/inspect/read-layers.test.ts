import { expect, it } from 'vitest';
import { abortableImage } from '../../../src/actions/inspect/read-layers.ts';
import { collectPackages } from '../../../src/attest/packages/collect-packages.ts';
import { hugeLayer, imageOf } from '../../support/images/made-image.ts';

it('looking into a large image ends when it is told to stop', async () => {
  const reason = new Error('told to stop');
  const asked = new AbortController();
  const image = abortableImage(imageOf([hugeLayer(2000)]), { ask: asked.signal, kill: asked.signal });
  setTimeout(() => asked.abort(reason), 20);
  await expect(collectPackages(image)).rejects.toBe(reason);
});
