import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type DeliveryRig, openDelivery, readDelivered } from '../../support/deliver/delivery-rig.ts';
import { type BatchCommand, type JobContainer, openBatch } from '../../support/deployers/batch.ts';
import { type Moto, startMoto } from '../../support/deployers/moto.ts';
import { judgeDefinition } from '../../support/deployers/sundial-schema.ts';
import { askEngine } from '../../support/engines/engine-http.ts';

let rig: DeliveryRig;
let moto: Moto;
let imageId: string;

beforeAll(async () => {
  rig = await openDelivery({ word: 'sundial' });
  moto = await startMoto({ env: { DOCKER_HOST: inject('engineHost') } });
  ({ imageId } = await rig.release('1.0.1'));
});
afterAll(async () => {
  await moto[Symbol.asyncDispose]();
  await askEngine(inject('engineHost'), 'DELETE', `/images/${rig.registry.host}/${rig.name}:1.0.1?force=1`);
  await rig[Symbol.asyncDispose]();
});

interface Task {
  task_definition_name: string;
  dependencies: { task_definition_name: string }[];
  executable: { batch_image_command: BatchCommand };
}

interface Definition {
  process_definition_name: string;
  task_definitions: Task[];
}

/** Runs each task after those that it needs, as Sundial does. Returns the containers by task, in their order. */
async function runProcess({ task_definitions: tasks }: Definition): Promise<Map<string, JobContainer>> {
  const batch = await openBatch(moto, inject('engineHost'));
  const ended = new Map<string, JobContainer>();
  while (ended.size < tasks.length) {
    const next = tasks.find(
      ({ task_definition_name: name, dependencies }) =>
        !ended.has(name) && dependencies.every((each) => ended.has(each.task_definition_name)),
    );
    const name = next!.task_definition_name;
    ended.set(name, await batch.run(name, next!.executable.batch_image_command));
  }
  return ended;
}

test('each task of a process runs the release, in the order of the graph, with its own command and variables', async () => {
  const value = 'it\'s "5 $" \\ 100 % ünï';
  const task = (name: string, needs: string[]) => ({
    task_definition_name: name,
    dependencies: needs.map((each) => ({ task_definition_name: each, success_required: true })),
    executable: {
      batch_image_command: {
        command: ['--task', name, 'a b'],
        memory: 256,
        environment_variables: [{ variable_name: 'GREETING', value }],
      },
    },
    max_attempts: 1,
    backoff_base_seconds: 1,
  });
  const template = {
    process_definition_name: 'nightly',
    schedule: { continuous_schedule: { buffer_seconds: 60 } },
    overlap_action: 'wait',
    task_definitions: [task('mail', ['load', 'clean']), task('load', []), task('clean', ['load'])],
  };
  writeFileSync(join(rig.rootDir, 'nightly.json'), JSON.stringify(template));
  rig.describe('  targets: { jobs: { kind: sundial, template: nightly.json } }\n');
  const record = await rig.delivered(['jobs', '1.0.1', '--output', 'out']);
  const definition = JSON.parse(readDelivered(record, 'nightly.json')) as Definition;
  expect(judgeDefinition(definition)).toEqual([]);
  const ran = await runProcess(definition);
  expect([...ran.keys()]).toEqual(['load', 'clean', 'mail']);
  for (const [name, { Image, Config }] of ran) {
    expect(Image).toBe(imageId);
    expect(Config.Cmd).toEqual(['--task', name, 'a b']);
    expect(Config.Env).toContain(`GREETING=${value}`);
  }
});
