import { posix } from 'node:path';
import type { PathKey } from '../../../spec/types.ts';
import { isMapping, type ParsedTemplate, parseDocuments, type Template } from '../../template.ts';
import { findImages } from './images.ts';

/** Image of a container, with its place in the template. */
export interface ImagePlace {
  image: string;
  parsed: ParsedTemplate;
  path: PathKey[];
}

/** Folder of manifests, as the cluster gets it. */
export interface Base {
  /** Resources of a kustomization over the template, relative to the template. */
  resources: string[];
  images: ImagePlace[];
  kustomizations: ParsedTemplate[];
}

const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/**
 * Reads the manifests of a folder, or what its kustomization refers to within the template. What another host has is
 * not read. @throws MistakesError `template-invalid`
 */
export function readTemplateBase(template: Template, dir: string): Base {
  if (findKustomization(template, dir) === undefined) return readManifests(template, dir);
  const base: Base = { resources: [dir], images: [], kustomizations: [] };
  followKustomization({ template, base, seen: new Set() }, dir);
  return base;
}

function readManifests(template: Template, dir: string): Base {
  const resources = [...template.files.keys()].filter((path) => /\.(?:ya?ml|json)$/.test(path) && isBelow(path, dir));
  const manifests = resources.flatMap((path) => parseFile(template, path));
  for (const each of manifests) refuseOther(each);
  return { resources, images: manifests.flatMap(listImages), kustomizations: [] };
}

/** Refuses a file that is no manifest: the cluster would refuse it. */
function refuseOther(parsed: ParsedTemplate): void {
  const { value } = parsed;
  if (isMapping(value) && typeof value.apiVersion === 'string' && typeof value.kind === 'string') return;
  const hint = 'move the file, or write a kustomization.yaml that lists the manifests';
  const remark = { expected: 'a manifest with apiVersion and kind', found: 'something else', hint };
  parsed.refuseAny([parsed.mistake([], remark)]);
}

function listImages(parsed: ParsedTemplate): ImagePlace[] {
  return findImages(parsed.value).map((found) => ({ ...found, parsed }));
}

function findKustomization({ files }: Template, dir: string): string | undefined {
  return kustomizationNames.map((name) => posix.join(dir, name)).find((path) => files.has(path));
}

function isBelow(path: string, dir: string): boolean {
  return dir === '.' || path.startsWith(`${dir}/`);
}

function parseFile(template: Template, path: string): ParsedTemplate[] {
  return parseDocuments(posix.join(template.path, path), template.files.get(path)!);
}

interface Reading {
  template: Template;
  base: Base;
  /** Kustomizations and files that were read. */
  seen: Set<string>;
}

/** Reference of a kustomization to a file or folder, or a patch as text. */
interface Reference {
  text: string;
  path: PathKey[];
  isPatch: boolean;
}

function followKustomization(reading: Reading, dir: string): void {
  const { template, base, seen } = reading;
  const path = findKustomization(template, dir)!;
  if (seen.has(path)) return;
  seen.add(path);
  for (const parsed of parseFile(template, path)) {
    base.kustomizations.push(parsed);
    for (const reference of listReferences(parsed.value)) {
      if (reference.isPatch && reference.text.includes('\n')) base.images.push(...listInline(parsed, reference));
      else followReference(reading, dir, parsed, reference);
    }
  }
}

const listKeys = ['resources', 'bases', 'components', 'patchesStrategicMerge'];
const patchKeys = ['patches', 'patchesJson6902'];

function listReferences(kustomization: unknown): Reference[] {
  if (!isMapping(kustomization)) return [];
  const entriesOf = (key: string) => (Array.isArray(kustomization[key]) ? [...kustomization[key].entries()] : []);
  const plain = listKeys.flatMap((key) =>
    entriesOf(key).map(([index, text]) => ({ text, path: [key, index], isPatch: key === 'patchesStrategicMerge' })),
  );
  const patches = patchKeys.flatMap((key) =>
    entriesOf(key).flatMap(([index, entry]) =>
      isMapping(entry)
        ? ['path', 'patch'].map((part) => ({ text: entry[part], path: [key, index, part], isPatch: part === 'patch' }))
        : [],
    ),
  );
  return [...plain, ...patches].filter((each): each is Reference => typeof each.text === 'string');
}

/** Lists the images of a patch that is a text in the kustomization: their place is the text's. */
function listInline(parsed: ParsedTemplate, { text, path }: Reference): ImagePlace[] {
  return parseDocuments(path.join('.'), text)
    .flatMap(listImages)
    .map(({ image }) => ({ image, parsed, path }));
}

function followReference(reading: Reading, dir: string, parsed: ParsedTemplate, { text, path }: Reference): void {
  const { template, base, seen } = reading;
  const place = posix.normalize(posix.join(dir, text)).replace(/(?<=.)\/$/, '');
  if (template.files.has(place)) {
    if (seen.has(place)) return;
    seen.add(place);
    base.images.push(...parseFile(template, place).flatMap(listImages));
  } else if (findKustomization(template, place) !== undefined) followKustomization(reading, place);
  else if (!isRemote(text)) {
    const isOutside = text.startsWith('/') || place === '..' || place.startsWith('../');
    const hint = `${template.path} is copied; name a folder with all of it as the template, and options.path for this one`;
    const remark = {
      expected: `a file or folder with a kustomization in ${template.path}`,
      found: JSON.stringify(text),
    };
    parsed.refuseAny([parsed.mistake(path, { ...remark, ...(isOutside && { hint }) })]);
  }
}

/** Whether kustomize fetches it: an address, or a repository such as github.com/acme/deploy//base?ref=v1. */
function isRemote(text: string): boolean {
  return /:\/\/|^[\w.-]+@|^[\w-]+(?:\.[\w-]+)+\/.+\/|[?&](?:ref|version)=/.test(text) && !/^\.{0,2}\//.test(text);
}
