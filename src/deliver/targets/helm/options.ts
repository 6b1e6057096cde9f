import { z } from 'zod';

/** Path as `helm --set` spells it: `web.image.tag`, and `a\.b` for a key with a dot. */
const path = z
  .string()
  .regex(
    /^(?:[^.\\[\]]|\\.)+(?:\.(?:[^.\\[\]]|\\.)+)*$/,
    'the path of a key such as image.tag; a list cannot be patched',
  );

/** One path, or several for a chart that names the image more than once. */
const paths = z.union([path, z.array(path).min(1)]).transform((said) => [said].flat().map(splitPath));

export const helmOptions = z.strictObject({
  /** Keys of one text, `REPOSITORY@DIGEST`; the others are then not written by default. */
  image: paths.optional(),
  /** Keys of the host of the registry; the repository is then written without it. */
  registry: paths.optional(),
  repository: paths.optional(),
  digest: paths.optional(),
  /** Keys of the tag. Where the chart has no key for a digest it gets `VERSION@DIGEST`. */
  tag: paths.optional(),
});

export type HelmOptions = z.output<typeof helmOptions>;

function splitPath(said: string): string[] {
  return (said.match(/(?:[^.\\]|\\.)+/g) ?? []).map((key) => key.replaceAll(/\\(.)/g, '$1'));
}
