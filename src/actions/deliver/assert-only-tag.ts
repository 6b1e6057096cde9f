import type { DeliveredImage } from '../../deliver/delivered-image.ts';
import { refuseDelivery } from '../../deliver/refuse.ts';
import type { Engine } from '../../engine/engine.ts';
import { GbuildError, messageOf } from '../../errors.ts';
import { makeMark } from '../../fs/writer-mark.ts';
import { openEngine } from '../session/open-engine.ts';
import type { DeliverRequest } from './request.ts';

/**
 * Asserts that the image has no other tag on the caller's engine, for a deployer that takes the first tag of an image
 * for its name. @throws GbuildError `delivery-refused` with what removes the other tags
 */
export async function assertOnlyTag(
  tag: string,
  image: DeliveredImage,
  { host, progress, stop, target }: DeliverRequest,
): Promise<void> {
  const names = [image.imageId, tag, `${image.name}:${image.version}`];
  let engine: Engine | undefined;
  try {
    engine = await openEngine(host, {}, makeMark(), progress, stop);
    await engine.wake();
    const found = new Map<string, readonly string[]>();
    for (const name of names) {
      const there = await engine.inspectImage(name);
      if (there !== undefined) found.set(there.id, there.tags);
    }
    const others = [...new Set([...found.values()].flat())].filter((each) => each !== tag);
    if (others.length === 0) return;
    throw refuseDelivery(
      image,
      target,
      `${tag} must be the only tag of its image, and the engine at ${engine.endpoint.url} also has ${others.join(', ')}`,
      [`docker rmi ${others.join(' ')}`],
    );
  } catch (thrown) {
    if (!(thrown instanceof GbuildError) || thrown.code !== 'engine-unreachable') throw thrown;
    progress.warn(`whether ${tag} is the only tag of its image was not checked: ${messageOf(thrown)}`);
  } finally {
    engine?.close();
  }
}
