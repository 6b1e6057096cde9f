import { z } from 'zod';
import type { PathKey } from '../../../spec/types.ts';
import type { Mistake } from '../../../spec/yaml/mistakes.ts';
import { type ParsedTemplate, readValueAt } from '../../template.ts';

const text = z.string('a text');
const flag = z.boolean('true or false').nullish();
const whole = z.int('a whole number');

const variablesSchema = z.array(z.looseObject({ variable_name: text, value: text }), 'a list of variables').nullish();

const imageSchema = {
  image: text.nullish(),
  tag: text.nullish(),
  command: z.array(text, 'a list of words'),
  environment_variables: variablesSchema,
};

/** Commands that name an image. */
export const imageCommands = {
  batch_image_command: z.looseObject(
    { ...imageSchema, memory: whole, vCpus: whole.nullish(), job_role_arn: text.nullish(), job_queue: text.nullish() },
    'a command of AWS Batch',
  ),
  docker_image_command: z.looseObject(
    { ...imageSchema, memory: whole.nullish(), cpu: whole.nullish(), log_paths: z.array(text).nullish() },
    'a command of ECS',
  ),
};

/** Schema of a union: an object whose only key is the name of the type. */
const unionOf = (types: Record<string, z.ZodType>) =>
  z.record(z.string(), z.unknown(), 'a mapping').superRefine((value, context) => {
    const [key, ...others] = Object.keys(value);
    const schema = key === undefined ? undefined : types[key];
    if (key === undefined || schema === undefined || others.length > 0)
      return void context.addIssue(`one key that says the type: ${Object.keys(types).join(', ')}`);
    for (const { message, path } of schema.safeParse(value[key]).error?.issues ?? [])
      context.addIssue({ code: 'custom', message, path: [key, ...path] });
  });

const scheduleSchema = unionOf({
  continuous_schedule: z.looseObject({ buffer_seconds: whole.nullish() }),
  cron_schedule: z.looseObject({ day_of_week: text, month: text, day_of_month: text, hours: text, minutes: text }),
});

const taskSchema = z.looseObject({
  task_definition_name: text.min(1, 'a name'),
  dependencies: z.array(z.looseObject({ task_definition_name: text, success_required: flag }), 'a list of tasks'),
  executable: unionOf({
    ...imageCommands,
    shell_script_command: z.looseObject({ script: text, environment_variables: variablesSchema }),
    emr_command: z.looseObject({}),
  }),
  max_attempts: whole,
  backoff_base_seconds: whole,
  backoff_exponent: z.number('a number').nullish(),
  require_explicit_success: flag,
  max_runtime_seconds: whole.nullish(),
});

const notifyWhen = ['always', 'on_failure', 'on_state_change', 'on_state_change_and_failures', 'never'] as const;

const processSchema = z.looseObject({
  process_definition_name: text.min(1, 'a name'),
  process_description: text.nullish(),
  paused: flag,
  overlap_action: z.enum(['wait', 'terminate'], 'wait or terminate').nullish(),
  schedule: scheduleSchema.nullish(),
  task_definitions: z.array(taskSchema, 'a list of tasks').min(1, 'a task'),
  notifications: z
    .array(
      unionOf({
        email: z.looseObject({ name: text, email: text, notify_when: z.enum(notifyWhen).nullish() }),
        pagerduty: z.looseObject({ service_key: text }),
      }),
      'a list of notifications',
    )
    .nullish(),
});

export type ProcessDefinition = z.output<typeof processSchema>;

/** Parses a definition by Sundial's rules. @throws MistakesError `template-invalid` with each place */
export function parseDefinition(parsed: ParsedTemplate): ProcessDefinition {
  const { value } = parsed;
  const { data, error } = processSchema.safeParse(value);
  if (error !== undefined)
    parsed.refuseAny(
      error.issues.map(({ path, message }) => {
        const keys = path.map((key) => (typeof key === 'symbol' ? String(key) : key));
        return parsed.mistake(keys, { expected: message, found: describeAt(value, keys) });
      }),
    );
  const definition = data!;
  parsed.refuseAny(listGraphMistakes(parsed, definition));
  return definition;
}

function describeAt(value: unknown, path: readonly PathKey[]): string {
  const at = readValueAt(value, path);
  return at === undefined ? 'nothing' : JSON.stringify(at).slice(0, 80);
}

/** Lists names that stand twice, dependencies on no task, and tasks that wait for themselves. */
function listGraphMistakes(parsed: ParsedTemplate, { task_definitions: tasks }: ProcessDefinition): Mistake[] {
  const known = new Map(tasks.map((task) => [task.task_definition_name, task]));
  return tasks.flatMap((task, index) => {
    const at = ['task_definitions', index];
    const name = task.task_definition_name;
    const found = JSON.stringify(name);
    const twice = known.get(name) === task ? [] : [parsed.mistake(at, { expected: 'names that differ', found })];
    const lost = task.dependencies.flatMap(({ task_definition_name: needed }, place) =>
      known.has(needed)
        ? []
        : [
            parsed.mistake([...at, 'dependencies', place], {
              expected: `a task of this process: ${[...known.keys()].join(', ')}`,
              found: JSON.stringify(needed),
            }),
          ],
    );
    const waits = reaches(name, name, known, new Set());
    const round = waits ? [parsed.mistake([...at, 'dependencies'], { expected: 'no circle of tasks', found })] : [];
    return [...twice, ...lost, ...round];
  });
}

type Task = ProcessDefinition['task_definitions'][number];

function reaches(from: string, to: string, tasks: ReadonlyMap<string, Task>, seen: Set<string>): boolean {
  if (seen.has(from)) return false;
  seen.add(from);
  return (tasks.get(from)?.dependencies ?? []).some(
    ({ task_definition_name: next }) => next === to || reaches(next, to, tasks, seen),
  );
}
