import { posix } from 'node:path';
import { type Mistake, MistakesError } from '../../../spec/yaml/mistakes.ts';
import type { DeliveredImage } from '../../delivered-image.ts';
import type { DeliveryFile, TextFile } from '../../files.ts';
import { refuseDelivery } from '../../refuse.ts';
import type { DeliveryInput } from '../../target.ts';
import { isMapping, type ParsedTemplate, type Template } from '../../template.ts';
import { yamlFile } from '../../yaml-file.ts';
import type { KubernetesOptions } from './options.ts';
import { type Base, type ImagePlace, readTemplateBase } from './read-base.ts';

/** Renders a copy of the template, and a kustomization over it that replaces the image's name by its digest. */
export function renderKustomization(input: DeliveryInput<KubernetesOptions>, template: Template): DeliveryFile[] {
  const { image, options } = input;
  const { repository, digest } = image.published!;
  const base = readTemplateBase(template, findFolder(input, template));
  const spellings = [...new Set([options.image ?? image.name, image.name, repository])];
  refuseByHand(base, spellings, image, options);
  const renamed = listRenamed(base);
  const isNamed = (name: string) =>
    base.images.some(
      (each) => each.image === name || renamed.some(({ from, to }) => each.image === from && to === name),
    );
  const names = spellings.filter(isNamed);
  if (names.length === 0) throw namesNothing(input, template, base);
  const copies = [...template.files].map(([path, text]): TextFile => ({ kind: 'text', path: `base/${path}`, text }));
  const kustomization = yamlFile('kustomization.yaml', {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    ...(options.namespace !== undefined && { namespace: options.namespace }),
    resources: base.resources.map((path) => posix.join('base', path)),
    images: names.map((name) => ({ name, newName: repository, digest })),
  });
  return [...copies, kustomization];
}

function findFolder({ image, options, target }: DeliveryInput<KubernetesOptions>, { path, files }: Template): string {
  const dir = posix.normalize(options.path ?? '.').replace(/(?<=.)\/$/, '');
  if (dir === '.' || [...files.keys()].some((file) => file.startsWith(`${dir}/`))) return dir;
  throw refuseDelivery(image, target, `there is no folder ${dir} in the template ${path}`, [
    `write a folder of it: deliver.targets.${target}.options.path`,
  ]);
}

/** Refuses images with a tag or a digest, and names that the kustomization would pass over. */
function refuseByHand(
  base: Base,
  spellings: string[],
  image: DeliveredImage,
  { image: said }: KubernetesOptions,
): void {
  const { name, version } = image;
  const expected = `the plain name ${spellings[0]}: gbuild writes the digest of ${name}:${version}`;
  const mistakes: Mistake[] = [];
  const add = ({ parsed, path, image: found }: ImagePlace, hint: string) =>
    mistakes.push(parsed.mistake(path, { expected, found: JSON.stringify(found), hint }));
  for (const place of base.images) {
    if (spellings.some((each) => isMore(place.image, each))) add(place, 'leave tag and digest out');
    else if (said === undefined && isOfOtherRegistry(place.image, spellings, name))
      add(place, 'leave registry, tag and digest out, or say in options.image how the manifests spell it');
  }
  for (const parsed of base.kustomizations)
    for (const { path, text } of findEntries(parsed, spellings))
      add({ parsed, path, image: text }, 'leave this entry out');
  const { file } = mistakes[0] ?? {};
  if (file !== undefined)
    throw new MistakesError(
      'template-invalid',
      mistakes.filter((each) => each.file === file),
    );
}

/** Whether the text is the name and a tag or a digest. */
function isMore(text: string, name: string): boolean {
  return text.startsWith(name) && /^(?::[^/]*|@.*)$/.test(text.slice(name.length));
}

function isOfOtherRegistry(text: string, spellings: string[], name: string): boolean {
  const plain = text.replace(/@.*$/, '').replace(/:[^/]*$/, '');
  return !spellings.includes(plain) && plain.endsWith(`/${name}`);
}

interface Renamed {
  from: unknown;
  to: unknown;
}

/** Lists what the template's kustomizations rename: the one over them sees the new names. */
function listRenamed({ kustomizations }: Base): Renamed[] {
  return kustomizations.flatMap(listEntries).map(({ name, newName }) => ({ from: name, to: newName }));
}

function listEntries({ value }: ParsedTemplate): Record<string, unknown>[] {
  const entries = isMapping(value) && Array.isArray(value.images) ? value.images : [];
  return entries.map((entry: unknown) => (isMapping(entry) ? entry : {}));
}

/** Finds entries of `images` that choose another tag, digest or name for the image. */
function findEntries(parsed: ParsedTemplate, spellings: string[]): { path: (string | number)[]; text: string }[] {
  const isOurs = (name: unknown) => typeof name === 'string' && spellings.includes(name);
  return listEntries(parsed).flatMap((entry, index) => {
    const key = ['newTag', 'digest', ...(isOurs(entry.name) ? ['newName'] : [])].find(
      (each) => entry[each] !== undefined,
    );
    if (key === undefined || !(isOurs(entry.name) || isOurs(entry.newName))) return [];
    return [{ path: ['images', index, key], text: String(entry[key]) }];
  });
}

function namesNothing({ image, target }: DeliveryInput<KubernetesOptions>, { path }: Template, { images }: Base) {
  const others = [...new Set(images.map((each) => each.image))];
  const found = others.length === 0 ? 'it has no container' : `its containers have ${others.slice(0, 5).join(', ')}`;
  return refuseDelivery(image, target, `${path} has no container of the image ${image.name}: ${found}`, [
    `write image: ${image.name} in a container, without a tag`,
    `say how the manifests name the image: deliver.targets.${target}.options.image`,
  ]);
}
