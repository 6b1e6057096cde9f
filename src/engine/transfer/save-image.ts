import { statSync } from 'node:fs';
import { exactImage } from '../../oci/image/exact-image.ts';
import type { Image } from '../../oci/image/image.ts';
import { readArchive } from '../../oci/image/read-archive.ts';
import { layerOfKnownFile } from '../../oci/layer/layer.ts';
import type { Engine } from '../engine.ts';

/**
 * Saves an engine's image by value. Its layers lie in the folder, each checked against its diffID, while the image is
 * needed.
 */
export async function saveImage(engine: Engine, reference: string, tempDir: string): Promise<Image> {
  const saved = await readArchive(await engine.saveImage(reference), tempDir);
  const history = (saved.config.history ?? []).filter((entry) => entry.empty_layer !== true);
  const layers = saved.layerFiles.map((file, index) => {
    const createdBy = history[index]?.created_by ?? '';
    return layerOfKnownFile(file, {
      diffId: saved.config.rootfs.diff_ids[index]!,
      size: statSync(file).size,
      createdBy,
    });
  });
  return exactImage(saved, layers);
}
