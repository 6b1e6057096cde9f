import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { diskError, GbuildError, messageOf } from '../../errors.ts';
import type { Image } from '../../oci/image/image.ts';
import { completeImage, writeDockerArchive } from '../../oci/layout/copy.ts';
import { completeSet, copySet, type ImageSet } from '../../oci/layout/image-set.ts';
import type { Layout } from '../../oci/layout/layout.ts';
import { assertLayoutPlace } from '../../oci/layout/layout-place.ts';
import { type FilePlace, parseFilePlace } from '../../oci/reference.ts';

/** Value of `--output`: another destination of the image. */
export interface ImageOutput {
  kind: FilePlace['kind'];
  hostPath: string;
}

/** Parses the flags before any work is done. */
export function parseOutputs(texts: string[], cwd: string): ImageOutput[] {
  return texts.map((text) => {
    const place = parseFilePlace(text);
    if (place !== undefined) return { kind: place.kind, hostPath: resolve(cwd, place.path) };
    throw new GbuildError('usage', `--output ${text}: expected oci:DIR or docker-archive:FILE`, {
      suggestions: ['gbuild image --output oci:out/image', 'gbuild image --output docker-archive:out/image.tar'],
      facts: { output: text },
    });
  });
}

/** Asserts that no output overwrites anything except an older archive or layout. Called before any work is done. */
export function assertOutputsFree(outputs: ImageOutput[]): void {
  for (const { kind, hostPath } of outputs) {
    if (kind === 'oci') assertLayoutPlace(hostPath);
    else if (statSync(hostPath, { throwIfNoEntry: false })?.isFile() === false) throw notAFile(hostPath);
  }
}

function notAFile(hostPath: string): GbuildError {
  return new GbuildError('output-refused', `${JSON.stringify(hostPath)} is not a file; nothing was written`, {
    suggestions: [`gbuild image --output docker-archive:${join(hostPath, 'image.tar')}`],
    facts: { hostPath },
  });
}

/**
 * Copies the images, whole and verified, to each output. An archive for engines holds only the image of the engine's
 * platform. The same image gives the same bytes.
 */
export async function writeOutputs(
  outputs: ImageOutput[],
  reference: string,
  { set, image }: { set: ImageSet; image: Image },
  store: Layout,
): Promise<void> {
  if (outputs.length === 0) return;
  for (const { kind, hostPath } of outputs) {
    try {
      if (kind === 'oci') await copySet(completeSet(set, store), hostPath, reference);
      else await writeDockerArchive(completeImage(image, store), hostPath, [reference]);
    } catch (cause) {
      if (cause instanceof GbuildError) throw cause;
      throw (
        diskError(cause, dirname(hostPath)) ??
        new GbuildError('output-refused', `${hostPath} cannot be written: ${messageOf(cause)}`, {
          cause,
          suggestions: ['name a place that you may write to, with enough room'],
          facts: { hostPath },
        })
      );
    }
  }
}
