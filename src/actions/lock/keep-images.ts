import type { Engine } from '../../engine/engine.ts';

/** Images that references named on an engine before something new took their place. */
export interface KeptImages {
  /** The references are what they were; what had taken their place goes, unless something else names it. */
  restore(): Promise<void>;
  /** Lets go of what they were. */
  drop(): Promise<void>;
}

/** Keeps what the references are now from being removed with its last name. A name that dies with us is swept by others. */
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
    // One that a container uses is swept later.
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
