import { posix } from 'node:path';
import { z } from 'zod';
import type { PathKey } from '../../../spec/types.ts';
import { type DeliveryFile, jsonFile } from '../../files.ts';
import { referByVersion, refuseDelivery } from '../../refuse.ts';
import type { DeliveryInput, DeliveryTarget } from '../../target.ts';
import { findImageByHand, ParsedTemplate, readValueAt } from '../../template.ts';
import { imageCommands, type ProcessDefinition, parseDefinition } from './process-definition.ts';

const optionsSchema = z.strictObject({
  /** Names of the tasks that run the release; by default those that name no image. */
  tasks: z.array(z.string().min(1)).min(1).optional(),
});

type Options = z.output<typeof optionsSchema>;

/** Sundial: process definitions with the release in every task of the repository's own. */
export const sundial: DeliveryTarget<Options> = {
  kind: 'sundial',
  summary: 'Sundial: your process definitions with the image and its tag in each task',
  takes: 'tag',
  takesOnePlatform: false,
  options: optionsSchema,
  template: { use: 'required', is: 'file or folder' },
  needs: ['a template: a process definition in JSON or YAML, or a folder of them, without image and tag'],
  render: (input) => {
    const definitions = readDefinitions(input.template!);
    assertTasksKnown(input, definitions);
    return definitions.map((each) => renderDefinition(input, each));
  },
  listWarnings: ({ options, template, target }) =>
    readDefinitions(template!).flatMap(({ parsed, definition }) =>
      listTasks(definition)
        .filter((task) => !isOwn(task, options) && isEmpty(task.command.tag) && !isEmpty(task.command.image))
        .map(({ name, at }) => {
          const { line } = parsed.mistake(at, { expected: '', found: '' });
          return `${target}: the task ${name} (line ${line}) names an image without a tag, and Sundial takes latest`;
        }),
    ),
};

interface Definition {
  path: string;
  parsed: ParsedTemplate;
  definition: ProcessDefinition;
}

function readDefinitions({ path: templatePath, files }: NonNullable<DeliveryInput<Options>['template']>): Definition[] {
  return [...files].map(([path, text]) => {
    const isFile = posix.basename(templatePath) === path;
    const parsed = new ParsedTemplate(isFile ? templatePath : posix.join(templatePath, path), text);
    return { path, parsed, definition: parseDefinition(parsed) };
  });
}

/** Task that runs an image, and the place of its command in the definition. */
interface ImageTask {
  name: string;
  command: { image?: unknown; tag?: unknown };
  at: PathKey[];
}

function listTasks({ task_definitions: tasks }: ProcessDefinition): ImageTask[] {
  return tasks.flatMap(({ task_definition_name: name, executable }, index) => {
    const [type] = Object.keys(executable);
    if (type === undefined || !(type in imageCommands)) return [];
    const command = executable[type] as ImageTask['command'];
    return [{ name, command, at: ['task_definitions', index, 'executable', type] }];
  });
}

function isOwn({ name, command }: ImageTask, { tasks }: Options): boolean {
  return tasks === undefined ? isEmpty(command.image) : tasks.includes(name);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** Asserts that each process runs the release, and that each named task is there and runs an image. */
function assertTasksKnown(
  { image, options, target }: DeliveryInput<Options>,
  definitions: readonly Definition[],
): void {
  const known = definitions.flatMap(({ definition }) => listTasks(definition).map(({ name }) => name));
  const lost = options.tasks?.find((name) => !known.includes(name));
  if (lost !== undefined)
    throw refuseDelivery(image, target, `no task ${lost} runs an image; those that do: ${known.join(', ') || 'none'}`, [
      `write other names: deliver.targets.${target}.options.tasks`,
    ]);
  const without = definitions.find(({ definition }) => !listTasks(definition).some((task) => isOwn(task, options)));
  if (without === undefined) return;
  throw refuseDelivery(image, target, `no task of ${without.definition.process_definition_name} leaves its image out`, [
    'leave image and tag out of the tasks that run the release',
    `or name these tasks: deliver.targets.${target}.options.tasks`,
  ]);
}

function renderDefinition(
  { image, options }: DeliveryInput<Options>,
  { path, parsed, definition }: Definition,
): DeliveryFile {
  const own = listTasks(definition).filter((task) => isOwn(task, options));
  const keys = ['image', 'tag'] as const;
  const byHand = own.flatMap(({ at }) => keys.map((key) => findImageByHand(parsed, [...at, key], image)));
  parsed.refuseAny([
    ...byHand.filter((mistake) => mistake !== undefined),
    ...findSameImage(parsed, definition, image, own),
  ]);
  const repository = referByVersion(image).slice(0, -`:${image.version}`.length);
  // A plain copy: aliases of YAML share their objects, and zod sorts keys.
  const rendered: unknown = JSON.parse(JSON.stringify(parsed.value));
  for (const { at } of own)
    Object.assign(readValueAt(rendered, at) as object, { image: repository, tag: image.version });
  return jsonFile(path.replace(/(\.[^./]*)?$/, '.json'), rendered);
}

/** Finds tasks that name the release's own image by hand: they would stay at the version that they have. */
function findSameImage(
  parsed: ParsedTemplate,
  definition: ProcessDefinition,
  image: DeliveryInput<Options>['image'],
  own: readonly ImageTask[],
) {
  const isSame = (said: unknown) =>
    typeof said === 'string' && (said === image.name || said.replace(/:[^/]*$/, '').endsWith(`/${image.name}`));
  return listTasks(definition)
    .filter(({ at, command }) => isSame(command.image) && !own.some((each) => each.at.join() === at.join()))
    .map(({ at }) => findImageByHand(parsed, [...at, 'image'], image)!);
}
