import { isMap, isSeq, type YAMLMap } from 'yaml';
import { messageOf } from '../../../errors.ts';
import { escapeLine } from '../../../escape.ts';
import type { PathKey } from '../../../spec/types.ts';
import { absent, type Mistake, MistakesError, quote } from '../../../spec/yaml/mistakes.ts';
import { refuseDelivery } from '../../refuse.ts';
import { type ParsedTemplate, parseOnlyFile } from '../../template.ts';
import { checkFargate } from './check-fargate.ts';
import { findHandWrittenImages } from './hand-written-images.ts';
import { applyEdits, dropKeys, type Edit, keyOf, rangeOf, setKey } from './json-edits.ts';
import { type EcsInput, listContainers } from './options.ts';
import { type TaskDefinition, taskSchema } from './task-schema.ts';

/** Keys that `describe-task-definition` answers, and that no definition is registered with. */
const answered: ReadonlySet<string> = new Set([
  'taskDefinitionArn',
  'revision',
  'status',
  'requiresAttributes',
  'compatibilities',
  'registeredAt',
  'registeredBy',
  'deregisteredAt',
]);

/** Task definition of the repository. */
export interface TaskTemplate {
  definition: TaskDefinition;
  /** Writes an image into the text. All else keeps its bytes. */
  fill(image: string): string;
}

/** Reads the repository's definition. @throws GbuildError `template-invalid`, `delivery-refused` */
export function readTaskTemplate(input: EcsInput): TaskTemplate {
  const template = input.template!;
  const source = [...template.files.values()][0] ?? '';
  const parsed = parseOnlyFile(template);
  const whole = readJson(parsed, source);
  const duplicates = findDuplicates(parsed, parsed.document.contents, []);
  parsed.refuseAny(duplicates);
  const isWrapped = isObject(whole) && isObject(whole.taskDefinition) && !('containerDefinitions' in whole);
  const path = isWrapped ? ['taskDefinition'] : [];
  const value = isWrapped ? whole.taskDefinition : whole;
  const checked = taskSchema.safeParse(value);
  if (!checked.success) throw refuseIssues(parsed, path, value, checked.error.issues);
  const outer = taskSchema.pick({ tags: true }).safeParse(isWrapped ? whole : {});
  if (!outer.success) throw refuseIssues(parsed, [], whole, outer.error.issues);
  const definition = checked.data;
  const containers = findContainers(input, definition);
  const isDescribed = isWrapped || Object.keys(definition).some((key) => answered.has(key));
  parsed.refuseAny([
    ...(isWrapped ? findStrayKeys(parsed, whole, definition.tags === undefined) : []),
    ...findHandWrittenImages(parsed, path, definition, { image: input.image, containers, isDescribed }),
    ...checkFargate(parsed, path, definition, input),
  ]);
  const map = parsed.document.getIn(path, true) as YAMLMap;
  const strip = dropKeys(map, answered);
  const tags = isWrapped ? moveTags(source, parsed, map) : [];
  const [from, to] = rangeOf(map);
  return {
    definition,
    fill: (image) => {
      const images = containers.map((index) =>
        setKey(
          source,
          map.getIn(['containerDefinitions', index], true) as YAMLMap,
          'image',
          JSON.stringify(image),
          'name',
        ),
      );
      const edits = [...strip, ...tags, ...images].map((edit) => ({
        ...edit,
        from: edit.from - from,
        to: edit.to - from,
      }));
      return applyEdits(source.slice(from, to), edits);
    },
  };
}

function readJson(parsed: ParsedTemplate, source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (error) {
    // YAML that is no JSON: the API's tools read JSON alone.
    throw refuse([parsed.mistake([], { expected: 'JSON', found: messageOf(error) })]);
  }
}

function refuse(mistakes: readonly Mistake[]): MistakesError {
  return new MistakesError('template-invalid', mistakes);
}

/** Finds keys that an object has twice: which one counts depends on the reader. */
function findDuplicates(parsed: ParsedTemplate, node: unknown, path: readonly PathKey[]): Mistake[] {
  if (isSeq(node)) return node.items.flatMap((item, index) => findDuplicates(parsed, item, [...path, index]));
  if (!isMap(node)) return [];
  const keys = node.items.map(keyOf);
  return node.items.flatMap((pair, index) => {
    const key = keys[index]!;
    const below = [...path, key];
    const twice =
      keys.indexOf(key) === index
        ? []
        : [parsed.mistake(below, { expected: 'each key once', found: `${quote(key)} twice` })];
    return [...twice, ...findDuplicates(parsed, pair.value, below)];
  });
}

function refuseIssues(
  parsed: ParsedTemplate,
  path: readonly string[],
  value: unknown,
  issues: readonly { path: PropertyKey[]; message: string }[],
): Error {
  return refuse(
    issues.map(({ path: below, message }) => {
      const keys = below.map((key) => (typeof key === 'number' ? key : String(key)));
      const found = keys.reduce<unknown>((at, key) => (at as Record<PathKey, unknown> | undefined)?.[key], value);
      return parsed.mistake([...path, ...keys], {
        expected: message,
        found: found === undefined ? absent : showJson(found),
      });
    }),
  );
}

function showJson(value: unknown): string {
  const json = JSON.stringify(value);
  return escapeLine(json.length > 60 ? `${json.slice(0, 59)}…` : json);
}

/** Finds the places of the containers that run the release. */
function findContainers(input: EcsInput, { containerDefinitions }: TaskDefinition): number[] {
  const { image, template, target } = input;
  return listContainers(input).map((name) => {
    const places = containerDefinitions.flatMap((container, index) => (container.name === name ? [index] : []));
    if (places.length === 1) return places[0]!;
    const known = containerDefinitions.map((container) => container.name).join(', ');
    const why =
      places.length === 0 ? `has no container ${name}; it has ${known}` : `has ${places.length} containers ${name}`;
    throw refuseDelivery(image, target, `${template!.path} ${why}`, [
      `say which one it is: deliver.targets.${target}.options.container`,
    ]);
  });
}

/** Finds keys next to taskDefinition that belong to no answer of the API: they would get lost. */
function findStrayKeys(parsed: ParsedTemplate, whole: Record<string, unknown>, takesTags: boolean): Mistake[] {
  const known = ['taskDefinition', 'ResponseMetadata', ...(takesTags ? ['tags'] : [])];
  return Object.keys(whole)
    .filter((key) => !known.includes(key))
    .map((key) =>
      parsed.mistake([key], {
        expected: 'taskDefinition and tags, as describe-task-definition answers',
        found: quote(key),
        hint: 'move it into taskDefinition, or remove it',
      }),
    );
}

/** Moves the tags of an answer into the definition, where they are registered from. */
function moveTags(source: string, parsed: ParsedTemplate, map: YAMLMap): Edit[] {
  const tags = parsed.document.get('tags', true);
  if (!isSeq(tags) || tags.items.length === 0) return [];
  const [from, to] = rangeOf(tags);
  return [setKey(source, map, 'tags', source.slice(from, to), 'containerDefinitions')];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
