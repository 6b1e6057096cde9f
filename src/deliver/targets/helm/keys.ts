import { posix } from 'node:path';
import { absent, type Mistake } from '../../../spec/yaml/mistakes.ts';
import { isMapping, ParsedTemplate, type Template } from '../../template.ts';
import type { HelmOptions } from './options.ts';

/** Paths of the keys that get the image. */
export type ImageKeys = Record<keyof HelmOptions, string[][]>;

const none: ImageKeys = { image: [], registry: [], repository: [], digest: [], tag: [] };
const usual = (key: string) => [['image', key]];

/**
 * Chooses the keys: those of the options, else those that the chart's values have, else those of a chart as
 * `helm create` makes it. @throws MistakesError `template-invalid` for a key that the values do not have
 */
export function chooseKeys(options: HelmOptions, template: Template | undefined): ImageKeys {
  const values = template === undefined ? undefined : parseValues(template);
  const keys = hasOptions(options) ? listGiven(options) : chooseUsual(values);
  if (values === undefined) return keys;
  values.refuseAny(
    Object.values(keys)
      .flat()
      .flatMap((path) => findMistake(values, path) ?? []),
  );
  return keys;
}

/** Parses the chart's values: the template itself, or the file of that name in it. */
function parseValues({ path, files }: Template): ParsedTemplate {
  const [[name, text] = ['', '']] = files;
  return new ParsedTemplate(path.endsWith(name) ? path : posix.join(path, name), text);
}

function listGiven({ image = [], registry = [], repository = [], digest = [], tag = [] }: HelmOptions): ImageKeys {
  return { image, registry, repository, digest, tag };
}

function hasOptions(options: HelmOptions): boolean {
  return Object.values(options).some((paths) => paths !== undefined);
}

function chooseUsual(values: ParsedTemplate | undefined): ImageKeys {
  const has = (key: string) => values !== undefined && key in readMapping(values, ['image']);
  const repository = usual('repository');
  const registry = has('registry') ? usual('registry') : [];
  if (has('digest'))
    return { ...none, registry, repository, digest: usual('digest'), tag: has('tag') ? usual('tag') : [] };
  return { ...none, registry, repository, tag: usual('tag') };
}

/** Finds why a path is no key that a text can be written to: helm would ignore it, or replace a part of the chart. */
function findMistake(values: ParsedTemplate, path: readonly string[]): Mistake | undefined {
  const hint = 'say in options which keys of the values have the image: image, registry, repository, digest, tag';
  const siblings = readMapping(values, path.slice(0, -1));
  const key = path.at(-1)!;
  if (!Object.hasOwn(siblings, key)) {
    const known = Object.keys(siblings).slice(0, 10);
    const others = known.length === 0 ? '' : `, such as ${known.join(', ')}`;
    return values.mistake(path, { expected: `a key that the chart has${others}`, found: absent, hint });
  }
  if (typeof siblings[key] !== 'object' || siblings[key] === null) return undefined;
  return values.mistake(path, { expected: 'a text', found: 'a mapping or a list', hint });
}

/** Reads the mapping at a path, aliases and merge keys resolved; an empty one where there is none. */
function readMapping(values: ParsedTemplate, path: readonly string[]): Record<string, unknown> {
  let value = values.value;
  for (const key of path) value = isMapping(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return isMapping(value) ? value : {};
}
