import { GbuildError } from '../errors.ts';
import type { DeliveredImage, PublishedImage } from './delivered-image.ts';

/** Makes the error of a target that cannot take the release. `suggestions` are what to type or to write. */
export function refuseDelivery(
  { name, version }: Pick<DeliveredImage, 'name' | 'version'>,
  target: string,
  why: string,
  suggestions: string[],
): GbuildError {
  return new GbuildError('delivery-refused', `${name}:${version} cannot be delivered to ${target}: ${why}`, {
    suggestions,
    facts: { release: `${name}:${version}`, target },
  });
}

/** Returns the reference by digest, which means this image for ever. */
export function referByDigest({ published }: DeliveredImage): string {
  const { repository, digest } = expectPublished(published);
  return `${repository}@${digest}`;
}

/** Returns the reference by version, for systems that take no digest. */
export function referByVersion({ published, version }: DeliveredImage): string {
  return `${expectPublished(published).repository}:${version}`;
}

function expectPublished(published: PublishedImage | undefined): PublishedImage {
  if (published !== undefined) return published;
  throw new GbuildError('bug', 'a target that pulls was given an image without a registry');
}
