import type { Engine } from '../engine/engine.ts';
import { exactImage } from '../oci/exact-image.ts';
import type { Image } from '../oci/image.ts';
import { layerOfFile } from '../oci/layer.ts';
import { readArchive } from '../oci/read-archive.ts';

/** An engine's image by value: its layers lie in the folder, each checked against its diffID, as long as the image is needed. */
export async function saveImage(engine: Engine, reference: string, spoolDir: string): Promise<Image> {
  const saved = await readArchive(await engine.saveImage(reference), spoolDir);
  const history = (saved.config.history ?? []).filter((entry) => entry.empty_layer !== true);
  const layers = saved.layerFiles.map((file, index) =>
    layerOfFile(file, { createdBy: history[index]?.created_by ?? '' }),
  );
  return exactImage(saved.configBytes, layers);
}
