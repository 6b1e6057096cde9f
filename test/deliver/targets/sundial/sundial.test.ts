import { expect, test } from 'vitest';
import { sundial } from '../../../../src/deliver/targets/sundial/sundial.ts';
import { GbuildError } from '../../../../src/errors.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { judgeDefinition } from '../../../support/deployers/sundial-schema.ts';
import { type Described, fileTemplate, inputOf, renderTexts } from '../../delivery-input.ts';

const refusal = async (described: Described) => {
  const { message, suggestions } = await errorOf(() => renderTexts(sundial, described));
  return [message, ...suggestions].join('\n');
};

const task = (name: string, executable: object, needs: string[] = []) => ({
  task_definition_name: name,
  dependencies: needs.map((each) => ({ task_definition_name: each, success_required: true })),
  executable,
  max_attempts: 2,
  backoff_base_seconds: 60,
});
const batch = (command: object = {}) => ({
  batch_image_command: {
    command: ['node', 'job.js', 'it\'s "5 $" \\ %\nünï'],
    memory: 512,
    environment_variables: [{ variable_name: 'NO', value: 'yes' }],
    ...command,
  },
});
const definition = (...tasks: object[]) => ({
  process_definition_name: 'nightly',
  ours: { a: 1.1 },
  schedule: { cron_schedule: { day_of_week: '?', month: '*', day_of_month: '*', hours: '2', minutes: '0' } },
  overlap_action: 'wait',
  task_definitions: tasks,
});
const templateOf = (value: object) => ({
  path: 'jobs/nightly.json',
  files: new Map([['nightly.json', JSON.stringify(value, undefined, 2)]]),
});
const rendered = (described: Described) =>
  JSON.parse(Object.values(renderTexts(sundial, described))[0]!) as ReturnType<typeof definition>;

test('every task without an image gets image and tag; all else passes', () => {
  const ecs = { docker_image_command: { image: '', tag: null, command: [], log_paths: ['/a'], odd: [1] } };
  const tasks = [
    task('a', batch({ vCpus: 1 })),
    task('b', ecs, ['a']),
    task('c', { shell_script_command: { script: 'true' } }, ['b']),
    task('d', batch({ image: 'acme/other', tag: '2' })),
  ];
  const release = { image: 'registry.example.com/acme/hello', tag: '1.0.1' };
  const value = definition(...tasks);
  const expected = structuredClone(value) as { task_definitions: { executable: Record<string, object> }[] };
  Object.assign(expected.task_definitions[0]!.executable.batch_image_command!, release);
  Object.assign(expected.task_definitions[1]!.executable.docker_image_command!, release);
  expect(rendered({ template: templateOf(value) })).toEqual(expected);
});

test('a folder gives a file for each definition, and YAML becomes JSON', () => {
  const yaml = `process_definition_name: weekly
x-command: &command {command: [], memory: 8}
task_definitions:
  - {task_definition_name: a, dependencies: [], max_attempts: 1, backoff_base_seconds: 1, executable: {batch_image_command: *command}}
  - {task_definition_name: b, dependencies: [], max_attempts: 1, backoff_base_seconds: 1, executable: {batch_image_command: *command}}
`;
  const template = {
    path: 'jobs',
    files: new Map([
      ['nightly.json', JSON.stringify(definition(task('a', batch())))],
      ['sub/weekly.v2.yaml', yaml],
    ]),
  };
  const texts = renderTexts(sundial, { template });
  expect(Object.keys(texts)).toEqual(['nightly.json', 'sub/weekly.v2.json']);
  expect(texts['sub/weekly.v2.json']!.match(/"tag": "1.0.1"/g)).toHaveLength(2);
});

test('tasks that run the release can be named', async () => {
  const value = definition(task('a', batch()), task('b', batch({ image: 'acme/other' })), task('c', batch()));
  const template = templateOf(value);
  const named = rendered({ template, options: { tasks: ['c'] } });
  const { image } = (named.task_definitions[0] as ReturnType<typeof task>).executable as { image?: string };
  expect(image).toBeUndefined();
  expect(JSON.stringify(named).match(/"tag":"1.0.1"/g)).toHaveLength(1);
  expect(await refusal({ template, options: { tasks: ['z'] } })).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to sundial: no task z runs an image; those that do: a, b, c
    write other names: deliver.targets.sundial.options.tasks"
  `);
  expect(sundial.listWarnings!(inputOf(sundial, { template }))).toMatchInlineSnapshot(`
    [
      "sundial: the task b (line 43) names an image without a tag, and Sundial takes latest",
    ]
  `);
});

test('image and tag by hand are mistakes with their places, also by an alias', async () => {
  const value = definition(task('a', batch({ tag: '1.0.0' })), task('b', batch({ image: 'abc.lan/acme/hello' })));
  expect(await refusal({ template: templateOf(value) })).toMatchInlineSnapshot(`
    "2 mistakes in jobs/nightly.json

      jobs/nightly.json:34:18  task_definitions[0].executable.batch_image_command.tag: expected no image: gbuild writes acme/hello:1.0.1 here, found "1.0.0"
          33 |           ],
        > 34 |           "tag": "1.0.0"
             |                  ^^^^^^^
        leave the key out, or its value empty

      jobs/nightly.json:57:20  task_definitions[1].executable.batch_image_command.image: expected no image: gbuild writes acme/hello:1.0.1 here, found "abc.lan/acme/hello"
          56 |           ],
        > 57 |           "image": "abc.lan/acme/hello"
             |                    ^^^^^^^^^^^^^^^^^^^^
        leave the key out, or its value empty"
  `);
  const yaml = `x: &a {image: acme/hello, command: [], memory: 8}
process_definition_name: weekly
task_definitions:
  - {task_definition_name: a, dependencies: [], max_attempts: 1, backoff_base_seconds: 1, executable: {batch_image_command: *a}}
`;
  const named = { template: fileTemplate('a.yaml', yaml), options: { tasks: ['a'] } };
  expect(await refusal(named)).toMatch('found "acme/hello"');
});

test('a process that runs no task of the release is refused', async () => {
  const foreign = definition(task('a', batch({ image: 'acme/other', tag: '1' })));
  expect(await refusal({ template: templateOf(foreign) })).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to sundial: no task of nightly leaves its image out
    leave image and tag out of the tasks that run the release
    or name these tasks: deliver.targets.sundial.options.tasks"
  `);
});

test("what Sundial's rules refuse is refused here, with each place", async () => {
  const wrong = {
    ...definition(task('a', batch({ command: 'node', memory: 1.5 }), ['b']), task('b', { image: 'x', tag: 'y' }), {
      ...task('c', batch()),
      max_attempts: '2',
    }),
    overlap_action: 'stop',
    schedule: { buffer_seconds: 3 },
  };
  expect(await refusal({ template: templateOf(wrong) })).toMatchInlineSnapshot(`
    "6 mistakes in jobs/nightly.json

      jobs/nightly.json:6:15  schedule: expected one key that says the type: continuous_schedule, cron_schedule, found {"buffer_seconds":3}
          5 |   },
        > 6 |   "schedule": {
            |               ^

      jobs/nightly.json:9:21  overlap_action: expected wait or terminate, found "stop"
          8 |   },
        > 9 |   "overlap_action": "stop",
            |                     ^^^^^^

      jobs/nightly.json:21:22  task_definitions[0].executable.batch_image_command.command: expected a list of words, found "node"
          20 |         "batch_image_command": {
        > 21 |           "command": "node",
             |                      ^^^^^^

      jobs/nightly.json:22:21  task_definitions[0].executable.batch_image_command.memory: expected a whole number, found 1.5
          21 |           "command": "node",
        > 22 |           "memory": 1.5,
             |                     ^^^

      jobs/nightly.json:37:21  task_definitions[1].executable: expected one key that says the type: batch_image_command, docker_image_command, shell_script_command, emr_command, found {"image":"x","tag":"y"}
          36 |       "dependencies": [],
        > 37 |       "executable": {
             |                     ^

      jobs/nightly.json:63:23  task_definitions[2].max_attempts: expected a whole number, found "2"
          62 |       },
        > 63 |       "max_attempts": "2",
             |                       ^^^"
  `);
  const round = definition(task('a', batch(), ['b']), task('b', batch(), ['c']), task('c', batch(), ['a']));
  expect(await refusal({ template: templateOf(round) })).toMatch('expected no circle of tasks, found "a"');
  const named = definition(task('a', batch()), task('b', batch()), task('b', batch(), ['z']));
  expect(await refusal({ template: templateOf(named) })).toMatchInlineSnapshot(`
    "2 mistakes in jobs/nightly.json

      jobs/nightly.json:39:5  task_definitions[1]: expected names that differ, found "b"
          38 |     },
        > 39 |     {
             |     ^

      jobs/nightly.json:64:9  task_definitions[2].dependencies[0]: expected a task of this process: a, b, found "z"
          63 |       "dependencies": [
        > 64 |         {
             |         ^"
  `);
});

/** Lists the paths of all values. */
function listPaths(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [path, ...keys.flatMap((key) => listPaths((value as Record<string | number, unknown>)[key], [...path, key]))];
}

/** Returns a copy in which one value is another, or is gone. */
function replaceAt(value: object, path: (string | number)[], other: unknown): object {
  const copy = { root: structuredClone(value) };
  let at = copy as unknown as Record<string | number, unknown>;
  const keys = ['root', ...path];
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  if (other === undefined) delete at[keys.at(-1)!];
  else at[keys.at(-1)!] = other;
  return copy.root;
}

test('no template that is taken becomes what the rules of the API refuse, whatever one of its values is', () => {
  const whole = {
    ...definition(
      task('a', batch({ vCpus: 1, job_queue: 'q' })),
      task('b', { docker_image_command: { command: [], log_paths: ['/a'], cpu: 1 } }, ['a']),
      task('c', batch({ image: 'acme/other', tag: '1' }), ['a', 'b']),
    ),
    notifications: [{ email: { name: 'Team', email: 'team@example.com', notify_when: 'never' } }],
  };
  expect(judgeDefinition(rendered({ template: templateOf(whole) }))).toEqual([]);
  const counts = { taken: 0, refused: 0 };
  for (const path of listPaths(whole))
    for (const other of [undefined, null, '', 'x', 0, 1.5, true, [], {}, [[]], { x: {} }]) {
      if (path.length === 0 && other === undefined) continue;
      const template = templateOf(replaceAt(whole, path, other) ?? null);
      try {
        expect(judgeDefinition(rendered({ template })), `${path.join('.')} = ${JSON.stringify(other)}`).toEqual([]);
        counts.taken += 1;
      } catch (thrown) {
        if (!(thrown instanceof GbuildError)) throw thrown;
        counts.refused += 1;
      }
    }
  expect(counts.taken + counts.refused).toBeGreaterThan(500);
  expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(100);
});
