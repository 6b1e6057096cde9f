import { formatReference, parseReference } from '../../../oci/reference.ts';
import type { WorkspaceSession } from '../../session/context.ts';
import { type KnownBase, nothing, type ReadBaseInput, readBase } from './read-base.ts';

export type ObtainBaseInput = ReadBaseInput & { session: WorkspaceSession };

/**
 * Obtains the base of an image, with every layer in the store. A base that the spec names is pulled when the engine
 * lacks it. The toolchain's runtime is already on the engine, and `scratch` needs no image.
 */
export async function obtainBase(reference: string, input: ObtainBaseInput): Promise<KnownBase> {
  const { session, engine } = input;
  if (session.spec.image.base === 'auto' || reference === nothing) return readBase(reference, input);
  const unpacked = nameUnpacked(reference);
  for (const name of new Set([reference, unpacked]))
    if ((await engine.inspectImage(name)) !== undefined) return readBase(name, input);
  return readBase(await pullBase(reference, unpacked, input), input);
}

/** Returns the name that the engine gives the pulled base. */
async function pullBase(reference: string, unpacked: string, input: ObtainBaseInput): Promise<string> {
  const { engine, progress, stop } = input;
  try {
    await progress.step(`pulling the base ${reference}`, (step) =>
      engine.pullImage(reference, {
        onProgress: ({ layer, status }) => step.update(`${layer} ${status}`.trim()),
        stop,
      }),
    );
    return reference;
  } catch (refusal) {
    stop.ask.throwIfAborted();
    const { unpackBase } = await import('./unpack-base.ts');
    if (await unpackBase(reference, unpacked, refusal, input)) return unpacked;
    throw refusal;
  }
}

/** Names a base that gbuild unpacked by a tag: an engine knows a registry's digest only for images that it pulled. */
function nameUnpacked(reference: string): string {
  const { digest, ...named } = parseReference(reference);
  const tag = digest === undefined ? (named.tag ?? 'latest') : `unpacked-${digest.slice(7, 19)}`;
  return formatReference({ ...named, tag });
}
