import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import type { DeliveryRecord } from '../../../src/actions/deliver/deliver.ts';
import { type DeliveryRig, openDelivery, readDelivered } from '../../support/deliver/delivery-rig.ts';
import { type Ministack, startMinistack } from '../../support/deployers/ministack.ts';
import { askUntilUp } from '../../support/network/ask-until-up.ts';

const service = `  service:
    health: /health
    memory: 256m
    args: ['--name', 'a b', '$HOME']
    env:
      GREETING: 'it''s "5 $" é'
`;
const own = 'ecs/taskdef.json';

let rig: DeliveryRig;
let ecs: Ministack;
let name: string;
const imageIds: Record<string, string> = {};

/** Delivers a version, judged by the API's tool. */
async function deliver(target: string, version: string): Promise<DeliveryRecord & { dir: string }> {
  const dir = join(rig.cli.dir, `${target}-${version}`);
  const env = { PATH: `${ecs.binDir}:${process.env.PATH}` };
  const record = await rig.delivered([target, version, '--output', dir, '--check'], { env });
  expect(record.checked?.map(({ program, ran }) => `${program} ${ran}`)).toContain('aws true');
  expect(record.imageId).toBe(imageIds[version]);
  return { ...record, dir };
}

/** Registers the definition of a delivery, as it is. Returns its ARN. */
async function register({ dir }: { dir: string }, file = 'taskdef.json'): Promise<string> {
  const call = ['ecs', 'register-task-definition', '--cli-input-json', `file://${file}`];
  const { taskDefinition } = await ecs.aws<{ taskDefinition: { taskDefinitionArn: string } }>(call, dir);
  return taskDefinition.taskDefinitionArn;
}

interface Deployment {
  rolloutState: string;
  rolloutStateReason: string;
  taskDefinition: string;
}

/** Waits until no deployment of the service is in progress. Returns all, the current one first. */
async function waitForDeployments(): Promise<Deployment[]> {
  for (;;) {
    const { services } = await ecs.ask<{ services: { deployments: Deployment[] }[] }>('DescribeServices', {
      services: [name],
    });
    const { deployments } = services[0]!;
    const running = await ecs.listRunning('container-name', name);
    const isDone = deployments.every(({ rolloutState }) => rolloutState !== 'IN_PROGRESS');
    if (isDone && running.length === 1) return deployments;
    await sleep(200);
  }
}

/** Asks the only container what it is. */
async function ask(): Promise<{ imageId: string; answer: unknown }> {
  const [{ imageId, ports } = { imageId: '', ports: [] }] = await ecs.listRunning('container-name', name);
  return { imageId, answer: await askUntilUp(`http://127.0.0.1:${ports[0]}/`, 60) };
}

beforeAll(async () => {
  [rig, ecs] = await Promise.all([openDelivery({ word: 'ecs' }), startMinistack(inject('engineHost'))]);
  name = rig.name.slice('acme/'.length);
  writeDescription('');
  for (const version of ['1.0.1', '1.0.2']) imageIds[version] = (await rig.release(version)).imageId;
  await ecs.ask('CreateCluster', { clusterName: 'default' });
});
afterAll(async () => {
  await ecs?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

function writeDescription(env: string): void {
  rig.describe(`${service}${env}  targets:
    green: {kind: ecs, options: {deployment: blue-green}}
    canary: {kind: ecs, options: {deployment: canary, canaryPercent: 10}}
    own: {kind: ecs, template: ${own}}
`);
}

/** Delivers a version for the service that runs, as its users do: two calls of the API's tool. */
async function update(version: string): Promise<Deployment[]> {
  const { dir } = await deliver('ecs', version);
  await register({ dir });
  await ecs.aws(['ecs', 'update-service', '--cli-input-json', 'file://service.json'], dir);
  return waitForDeployments();
}

test('a service of ECS runs a release, goes back from one that does not start, and on to the next', async () => {
  const taskDefinition = await register(await deliver('ecs', '1.0.1'));
  await ecs.ask('CreateService', { serviceName: name, taskDefinition, desiredCount: 1 });
  await waitForDeployments();
  expect(await ask()).toEqual({
    imageId: imageIds['1.0.1'],
    answer: { version: '1.0.1', greeting: 'it\'s "5 $" é', args: ['--name', 'a b', '$HOME'] },
  });

  writeDescription('      PORT: none\n');
  const reasons = (await update('1.0.2')).map(({ rolloutStateReason }) => rolloutStateReason);
  expect(reasons.join('\n')).toContain('circuit breaker was triggered');
  expect((await ask()).imageId).toBe(imageIds['1.0.1']);

  writeDescription('');
  await update('1.0.2');
  expect((await ask()).imageId).toBe(imageIds['1.0.2']);
});

test('what the standard action of CodePipeline reads brings the service to another release', async () => {
  const delivery = await deliver('ecs', '1.0.1');
  const definitions = JSON.parse(readDelivered(delivery, 'imagedefinitions.json')) as Record<string, string>[];
  const images = definitions.flatMap(({ name: container, imageUri }) => ['--image', container!, imageUri!]);
  const { exitCode, output } = await ecs.ecsDeploy(['deploy', 'default', name, ...images, '--timeout', '-1']);
  expect(exitCode, output).toBe(0);
  await waitForDeployments();
  expect((await ask()).imageId).toBe(imageIds['1.0.1']);
});

test('the places of a blue/green deployment are filled without a hand, and its task runs the image', async () => {
  const delivery = await deliver('green', '1.0.1');
  const { ImageURI } = JSON.parse(readDelivered(delivery, 'imageDetail.json')) as { ImageURI: string };
  // The action of CodePipeline replaces the two places, and nothing else.
  const filled = readDelivered(delivery, 'taskdef.json').replaceAll('<IMAGE1_NAME>', ImageURI);
  expect(filled).toBe(readDelivered(delivery, 'taskdef-by-digest.json'));
  const arn = await register(delivery, 'taskdef-by-digest.json');
  const appspec = parse(readDelivered(delivery, 'appspec.yaml').replace('<TASK_DEFINITION>', arn));
  const { TaskDefinition, LoadBalancerInfo } = appspec.Resources[0].TargetService.Properties;
  const { tasks } = await ecs.ask<{ tasks: { taskArn: string }[] }>('RunTask', { taskDefinition: TaskDefinition });
  const { containerDefinitions } = JSON.parse(filled);
  expect(LoadBalancerInfo).toEqual({
    ContainerName: name,
    ContainerPort: containerDefinitions[0].portMappings[0].containerPort,
  });
  const list = () => ecs.listRunning('task-arn', tasks[0]!.taskArn);
  while ((await list()).length === 0) await sleep(200);
  expect((await list())[0]!.imageId).toBe(imageIds['1.0.1']);
  await ecs.ask('StopTask', { task: tasks[0]!.taskArn });
});

test('a canary is an update of the service that the API takes', async () => {
  const { dir } = await deliver('canary', '1.0.2');
  await register({ dir });
  const { service: updated } = await ecs.aws<{ service: { deploymentConfiguration: object } }>(
    ['ecs', 'update-service', '--cli-input-json', 'file://service.json'],
    dir,
  );
  expect(updated.deploymentConfiguration).toMatchObject({
    strategy: 'CANARY',
    canaryConfiguration: { canaryPercent: 10 },
  });
});

test('the definition that ECS answers is a template as it is', async () => {
  const answer = await ecs.aws<object>(['ecs', 'describe-task-definition', '--task-definition', name]);
  rig.describe(`  targets:\n    own: {kind: ecs, template: ${own}}\n`);
  mkdirSync(join(rig.rootDir, 'ecs'));
  writeFileSync(join(rig.rootDir, own), JSON.stringify(answer, undefined, 4));
  const delivery = await deliver('own', '1.0.1');
  await register(delivery);
  const { containerDefinitions } = JSON.parse(readDelivered(delivery, 'taskdef.json'));
  expect(containerDefinitions[0].image).toBe(delivery.published);
});
