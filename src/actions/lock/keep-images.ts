import type { Engine } from '../../engine/engine.ts';

/** Images that references named on an engine before new images replaced them. */
export interface KeptImages {
  /** Moves the references back to the old images. The new images are removed, unless another name holds them. */
  restore(): Promise<void>;
  /** Releases the old images. */
  drop(): Promise<void>;
}

/**
 * Protects the references' images from removal with their last name. Other runs sweep the protecting name if this
 * process dies.
 */
export async function keepImages(engine: Engine, references: string[]): Promise<KeptImages> {
  const kept: { reference: string; id: string; name: string }[] = [];
  for (const [index, reference] of references.entries()) {
    const found = await engine.inspectImage(reference);
    if (found === undefined) continue;
    const name = engine.stagingReference(`aside-${index}`);
    await engine.tagImage(found.id, name);
    kept.push({ reference, id: found.id, name });
  }
  const drop = async () => {
    // An image that a container uses is swept later.
    for (const { name } of kept) await engine.removeImage(name).catch(() => undefined);
  };
  const restore = async () => {
    for (const { reference, id } of kept) {
      const now = await engine.inspectImage(reference);
      if (now?.id === id) continue;
      await engine.tagImage(id, reference);
      if (now?.tags.length === 1) await engine.removeImage(now.id).catch(() => undefined);
    }
    await drop();
  };
  return { restore, drop };
}
