import type { Mistake } from '../../../spec/yaml/mistakes.ts';
import { quote } from '../../../spec/yaml/mistakes.ts';
import type { DeliveredImage } from '../../delivered-image.ts';
import { findImageByHand, type ParsedTemplate } from '../../template.ts';
import type { TaskDefinition } from './task-schema.ts';

/** Place of the image in a definition for CodePipeline: CodePipeline replaces it. */
export const imagePlaceholder = '<IMAGE1_NAME>';

export interface ReleasedContainers {
  image: DeliveredImage;
  /** Places of the containers that run the release. */
  containers: readonly number[];
  /** Whether ECS answered the definition: it always has images, which are not written by hand. */
  isDescribed: boolean;
}

/** Finds images that are written by hand where the release goes, and containers that would stay behind or have none. */
export function findHandWrittenImages(
  parsed: ParsedTemplate,
  path: readonly string[],
  { containerDefinitions }: TaskDefinition,
  { image, containers, isDescribed }: ReleasedContainers,
): Mistake[] {
  return containerDefinitions.flatMap(({ image: named, name }, index) => {
    const place = [...path, 'containerDefinitions', index, 'image'];
    if (containers.includes(index)) {
      if (isDescribed || named === imagePlaceholder) return [];
      return findImageByHand(parsed, place, image) ?? [];
    }
    if (typeof named !== 'string' || named === '')
      return parsed.mistake(place, {
        expected: 'an image',
        found: named === undefined ? 'none' : JSON.stringify(named),
        hint: `or name ${name} under options.container`,
      });
    if (nameRepository(named) !== image.published?.repository) return [];
    return parsed.mistake(place, {
      expected: 'no image of this repository: it would stay behind at each release',
      found: quote(named),
      hint: `name ${name} under options.container, too`,
    });
  });
}

function nameRepository(reference: string): string {
  return reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}
