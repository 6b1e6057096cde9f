import { collectPackages } from '../../attest/packages/collect-packages.ts';
import { type Compared, compareImages, type ImageDifference } from '../../inspect/difference.ts';
import { formatDifference } from '../../inspect/format-difference.ts';
import { type OpenedImage, withImage } from './open-image.ts';
import type { OpenImageRequest } from './open-image-request.ts';
import { readOrFindDamage } from './read-whole.ts';

export interface DiffRequest extends OpenImageRequest {
  /** Name as withImage takes it. */
  before: string;
  after: string;
}

/** Difference as text for people and as data for `--json`. */
export interface ExplainedDifference {
  text: string;
  data: ImageDifference;
}

/** Implements `gbuild diff`: opens two images, wherever they are, and compares everything visible in them. */
export function diffImages(request: DiffRequest): Promise<ExplainedDifference> {
  return withImage(request.before, request, (before) =>
    withImage(request.after, request, async (after) => {
      const data = await compareImages(await look(before), await look(after));
      return { text: formatDifference(data), data };
    }),
  );
}

/** Reads every byte once, so that damage is found before the comparison. */
async function look({ reference, image }: OpenedImage): Promise<Compared> {
  return { reference, image, packages: await readOrFindDamage(image, () => collectPackages(image)) };
}
