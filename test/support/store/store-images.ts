import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { readSet } from '../../../src/oci/layout/image-set.ts';
import { openLayout } from '../../../src/oci/layout/layout.ts';
import { annotationKeys } from '../../../src/oci/spec.ts';

/** Lists the names in a release store; throws where one of them lacks a byte of its images. */
export async function verifyStore(dataDir: string): Promise<string[]> {
  const store = await openLayout(join(dataDir, 'store'));
  const { manifests } = await store.readIndex();
  for (const descriptor of manifests)
    for (const { layers } of (await readSet(store, descriptor)).images)
      for (const layer of layers) for (const _ of layer.chunks());
  return manifests.map(({ annotations }) => annotations?.[annotationKeys.refName] ?? '');
}

/** Ages everything in the store by so many days. */
export function ageStore(dataDir: string, days: number): void {
  const folder = join(dataDir, 'store/blobs/sha256');
  const then = Date.now() / 1000 - days * 86_400;
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), then, then);
}
