import type { TextFile } from '../../files.ts';
import { referByDigest, refuseDelivery } from '../../refuse.ts';
import type { DeliveryInput, DeliveryTarget } from '../../target.ts';
import { yamlFile } from '../../yaml-file.ts';
import { chooseKeys, type ImageKeys } from './keys.ts';
import { type HelmOptions, helmOptions } from './options.ts';

/** Helm: values that give a chart the released image. The template is the chart, or its values.yaml: it is only read. */
export const helm: DeliveryTarget<HelmOptions> = {
  kind: 'helm',
  summary: 'Helm: values.gbuild.yaml, for any chart',
  takes: 'digest',
  takesOnePlatform: false,
  options: helmOptions,
  template: { use: 'optional', is: 'file or folder', reads: ['values.yaml'] },
  needs: [],
  render: (input) => [renderValues(input)],
};

function renderValues(input: DeliveryInput<HelmOptions>): TextFile {
  const keys = chooseKeys(input.options, input.template);
  refuseNoDigest(input, keys);
  const values = newValues();
  for (const [key, text] of Object.entries(listTexts(input, keys)))
    for (const path of keys[key as keyof ImageKeys]) write(values, path, text, input);
  return yamlFile('values.gbuild.yaml', values);
}

/** Returns the text of each key. A tag with a digest means the digest: `1.0.1@sha256:...` is no tag that may move. */
function listTexts({ image }: DeliveryInput<HelmOptions>, keys: ImageKeys): Record<keyof ImageKeys, string> {
  const { repository, digest } = image.published!;
  const slash = repository.indexOf('/');
  return {
    image: referByDigest(image),
    registry: repository.slice(0, slash),
    repository: keys.registry.length > 0 ? repository.slice(slash + 1) : repository,
    tag: keys.digest.length > 0 ? image.version : `${image.version}@${digest}`,
    digest,
  };
}

/** A repository alone would leave the tag to the chart. */
function refuseNoDigest(
  { image, target }: DeliveryInput<HelmOptions>,
  { image: whole, digest, tag, repository }: ImageKeys,
): void {
  const place = `deliver.targets.${target}.options`;
  if (whole.length + digest.length + tag.length === 0)
    throw refuseDelivery(image, target, 'no key gets the digest: the chart would choose the tag', [
      `write ${place}.digest, or ${place}.tag: it gets VERSION@DIGEST`,
    ]);
  if (whole.length === 0 && repository.length === 0)
    throw refuseDelivery(image, target, 'no key gets the repository: the chart would choose another image', [
      `write ${place}.repository`,
    ]);
}

interface Values {
  [key: string]: Values | string;
}

/** Makes an empty mapping: a key may be called like something that every object has. */
function newValues(): Values {
  return Object.create(null) as Values;
}

function write(
  values: Values,
  path: readonly string[],
  text: string,
  { image, target }: DeliveryInput<HelmOptions>,
): void {
  let at = values;
  for (const key of path.slice(0, -1)) {
    const next = at[key] ?? newValues();
    if (typeof next === 'string') throw twice(image, target, path);
    at[key] = next;
    at = next;
  }
  const last = path.at(-1)!;
  if (last in at) throw twice(image, target, path);
  at[last] = text;
}

function twice(image: DeliveryInput<HelmOptions>['image'], target: string, path: readonly string[]) {
  return refuseDelivery(image, target, `the options name the key ${path.join('.')} twice`, [
    `give each key one part of the image in deliver.targets.${target}.options`,
  ]);
}
