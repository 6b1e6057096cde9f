import { createHash } from 'node:crypto';
import type { RecipeFile } from '../catalog/catalog.ts';

/** Facts that decide an image in addition to files. */
export type Facts = { [key: string]: Plain };

type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

/**
 * Computes the digest of everything that decides an image's content, as far as it is known without a network: the
 * folder's files (path, executable bit, bytes), and facts such as version, options and the packages named with their
 * versions.
 */
export function recipeDigest(files: RecipeFile[], facts: Facts): `sha256:${string}` {
  const hash = createHash('sha256').update(`${canonical({ recipe: 1, ...facts })}\n`);
  for (const { path, executable, bytes, isLink } of files) {
    hash.update(
      `${canonical([path, isLink ? 'link' : executable, createHash('sha256').update(bytes).digest('hex')])}\n`,
    );
  }
  return `sha256:${hash.digest('hex')}`;
}

/** Returns the part of a recipe's digest that is used in tags. */
export function shortRecipe(recipe: string): string {
  return recipe.slice('sha256:'.length, 'sha256:'.length + 12);
}

function canonical(value: Plain): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`).join(',')}}`;
}
