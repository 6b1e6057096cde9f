import { resolve } from 'node:path';
import { GbuildError } from '../errors.ts';
import { copyImage, writeDockerArchive, writeImage } from '../oci/copy.ts';
import type { Image } from '../oci/image.ts';
import type { Layout } from '../oci/layout.ts';

/** `--output`: where else the image goes. */
export interface ImageOutput {
  kind: 'oci' | 'docker-archive';
  hostPath: string;
}

/** Parses the flags before any work is done. */
export function parseOutputs(texts: string[], cwd: string): ImageOutput[] {
  return texts.map((text) => {
    const [, kind, path] = /^(oci|docker-archive):(.+)$/s.exec(text) ?? [];
    if (kind !== undefined && path !== undefined)
      return { kind: kind as ImageOutput['kind'], hostPath: resolve(cwd, path) };
    throw new GbuildError('usage', `--output ${text}: expected oci:DIR or docker-archive:FILE`, {
      suggestions: ['gbuild image --output oci:out/image', 'gbuild image --output docker-archive:out/image.tar'],
      facts: { output: text },
    });
  });
}

/** Copies the image, whole and verified, to each output. Byte-stable: the same image gives the same bytes. */
export async function writeOutputs(
  outputs: ImageOutput[],
  reference: string,
  image: Image,
  store: Layout,
): Promise<void> {
  if (outputs.length === 0) return;
  await writeImage(store, image);
  for (const { kind, hostPath } of outputs) {
    if (kind === 'oci') await copyImage(store, image.manifestDigest, hostPath, reference);
    else await writeDockerArchive(store, image.manifestDigest, hostPath, [reference]);
  }
}
