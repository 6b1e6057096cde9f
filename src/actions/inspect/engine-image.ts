import type { Engine } from '../../engine/engine.ts';
import { GbuildError, messageOf } from '../../errors.ts';
import { readArchive, type SavedImage } from '../../oci/image/read-archive.ts';
import { annotationKeys } from '../../oci/spec.ts';
import { openEngine } from '../session/open-engine.ts';
import { openStore } from '../store/store.ts';
import type { OpenImageRequest } from './open-image-request.ts';
import { abortable } from './read-layers.ts';

/**
 * Saves the engine's image of this name, unpacked, into the folder. Throws `usage` where the engine lacks it, or where
 * there is no engine.
 */
export async function saveFromEngine(
  reference: string,
  { host, choice, runId, progress, stop }: OpenImageRequest,
  tempDir: string,
): Promise<{ saved: SavedImage; url: string }> {
  let engine: Engine | undefined;
  try {
    engine = await openEngine(host, choice, runId, progress, stop);
    await engine.wake();
    const found = await engine.inspectImage(reference);
    if (found === undefined) throw await notFound(reference, host, `the engine at ${engine.endpoint.url} has none`);
    const saved = await progress.step(`reading ${reference}`, async () =>
      readArchive(abortable(await engine!.saveImage(reference), stop), tempDir),
    );
    return { saved, url: engine.endpoint.url };
  } catch (cause) {
    if (!(cause instanceof GbuildError) || cause.code !== 'engine-unreachable') throw cause;
    throw await notFound(reference, host, `no engine could be asked (${messageOf(cause)})`);
  } finally {
    engine?.close();
  }
}

const mostShown = 5;

async function notFound(reference: string, host: OpenImageRequest['host'], onEngine: string): Promise<GbuildError> {
  const store = await openStore(host);
  const { manifests } = await store.readIndex();
  const names = manifests.map(({ annotations }) => annotations?.[annotationKeys.refName] ?? '');
  const releases = names.filter((name) => name !== '' && !name.startsWith('gbuild-base:'));
  const near = releases.filter((name) => name.startsWith(`${reference.replace(/[:@].*/, '')}:`));
  const shown = (near.length > 0 ? near : releases).slice(-mostShown);
  const has = shown.length === 0 ? 'is empty' : `has ${shown.join(', ')}`;
  return new GbuildError(
    'usage',
    `there is no image ${reference}: the release store ${store.dir} ${has}, and ${onEngine}`,
    {
      suggestions: [
        ...shown.slice(-1).map((name) => `gbuild inspect ${name}`),
        `gbuild inspect registry.example.com/${reference}`,
      ],
      facts: { reference, store: store.dir, releases: shown },
    },
  );
}
