import type { Stop } from '../../host.ts';
import { readImageId } from './image-id.ts';
import type { EnsuredImage, ToolchainContext } from './toolchain-context.ts';

/** Finds an image on the engine, unless it is to be made again. */
export async function findUsable(context: ToolchainContext, reference: string): Promise<EnsuredImage | undefined> {
  return context.renewed === undefined || context.renewed.has(reference) ? findImage(context, reference) : undefined;
}

/** Makes an image. The image that had its name before is removed, unless another name or a container still uses it. */
export async function renew(
  context: ToolchainContext,
  reference: string,
  work: () => Promise<EnsuredImage>,
): Promise<EnsuredImage> {
  const before = await context.engine.inspectImage(reference);
  const made = await work();
  context.renewed?.add(reference);
  if (before !== undefined) await removeNameless(context, before.id);
  return made;
}

async function removeNameless({ engine }: ToolchainContext, id: string): Promise<void> {
  const found = await engine.inspectImage(id);
  if (found === undefined || found.tags.length > 0) return;
  // The engine keeps an image that another image or a container uses.
  await engine.removeImage(id).catch(() => {});
}

/** Finds the image of a reference on the engine; undefined where it is missing. */
export async function findImage(context: ToolchainContext, reference: string): Promise<EnsuredImage | undefined> {
  const found = await context.engine.inspectImage(reference);
  return found === undefined ? undefined : { reference, id: await readImageId(context, found) };
}

/**
 * Runs two works in parallel. The first failure stops the other one and is thrown when both have ended, so that no work
 * continues after a failed step.
 */
export async function together<A, B>(
  stop: Stop,
  first: (stop: Stop) => Promise<A>,
  second: (stop: Stop) => Promise<B>,
): Promise<[A, B]> {
  const failed = new AbortController();
  const inner: Stop = { ask: AbortSignal.any([stop.ask, failed.signal]), kill: stop.kill };
  let cause: unknown;
  const guard = async <T>(work: (stop: Stop) => Promise<T>): Promise<T> => {
    try {
      return await work(inner);
    } catch (thrown) {
      if (!failed.signal.aborted) cause = thrown;
      failed.abort(thrown);
      throw thrown;
    }
  };
  const [one, two] = await Promise.allSettled([guard(first), guard(second)]);
  if (one.status === 'fulfilled' && two.status === 'fulfilled') return [one.value, two.value];
  throw cause;
}
