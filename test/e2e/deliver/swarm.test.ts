import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { askService } from '../../support/deliver/ask-service.ts';
import { type DeliveryRig, openDelivery } from '../../support/deliver/delivery-rig.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { smallImage } from '../../support/images/base-image.ts';
import { type Swarm, startSwarm } from '../../support/remote-engines/swarm.ts';

/** Port of the node; the routing mesh needs a kernel that has it. */
const port = 8090;

let swarm: Swarm;
let rig: DeliveryRig;
let release: ImageRecord;
let next: ImageRecord;
let node: Swarm['nodes'][number];

beforeAll(async () => {
  swarm = await startSwarm(inject('engineHost'), 1, smallImage);
  node = swarm.nodes[0]!;
  const check = `fetch("http://127.0.0.1:8080").then(({ok}) => process.exit(ok ? 0 : 1))`;
  const image = `  health: {cmd: [node, -e, '${check}'], interval: 1s, retries: 2}\n`;
  rig = await openDelivery({ word: 'swarm', image, registry: swarm.registry });
  release = await rig.release('1.0.1');
  next = await rig.release('1.0.2');
});
afterAll(async () => {
  await rig?.[Symbol.asyncDispose]();
  await swarm?.[Symbol.asyncDispose]();
});

const describeService = (env: string) =>
  rig.describe(`  service: {name: hello, health: /health, memory: 128m, cpu: 0.5, env: ${env}, args: ["$a b"]}
  targets:
    swarm: {kind: swarm, options: {ports: host, publish: ${port}}}
    own: {kind: swarm, template: stack.own.yml, options: {service: web}}
`);

/** Deploys as a user does, with their own client. */
async function deploy(stack: string, ...files: string[]): Promise<void> {
  const env = { DOCKER_HOST: node.host, DOCKER_CONFIG: join(rig.cli.dir, 'home/.docker') };
  const options = files.flatMap((file) => ['--compose-file', file]);
  await execa('docker', ['stack', 'deploy', '--with-registry-auth', ...options, stack], { env, cwd: rig.rootDir });
}

async function deliverAndDeploy(version: string): Promise<void> {
  const { dir } = await rig.delivered(['swarm', version, '--output', 'out/swarm']);
  await deploy('web', join(dir!, 'stack.yml'));
}

/** Lists the image ids of the containers that run for a service. */
async function listRunning(service: string): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.swarm.service.name=${service}`] }));
  const { text } = await askEngine(node.host, 'GET', `/containers/json?filters=${filters}`);
  return (JSON.parse(text) as { ImageID: string }[]).map(({ ImageID }) => ImageID);
}

async function untilUpdate(service: string, state: string): Promise<void> {
  let last = '';
  for (let tries = 0; tries < 1200; tries += 1) {
    const { text } = await askEngine(node.host, 'GET', `/services/${service}`);
    last = (JSON.parse(text) as { UpdateStatus?: { State: string } }).UpdateStatus?.State ?? '';
    if (last === state) return;
    await sleep(100);
  }
  throw new Error(`the update of ${service} is ${last}, not ${state}`);
}

const url = () => `http://${node.address}:${port}/`;

test('a stack runs the released image, the next one, and the former again', async () => {
  describeService(`{GREETING: 'it costs $5, "so"'}`);
  await deliverAndDeploy('1.0.1');
  expect(await askService(url(), '1.0.1')).toEqual({ version: '1.0.1', greeting: 'it costs $5, "so"', args: ['$a b'] });
  expect(await listRunning('web_hello')).toEqual([release.imageId]);
  for (const [version, { imageId }] of [
    ['1.0.2', next],
    ['1.0.1', release],
  ] as const) {
    await deliverAndDeploy(version);
    await askService(url(), version);
    await untilUpdate('web_hello', 'completed');
    expect(await listRunning('web_hello')).toEqual([imageId]);
  }
});

test('a release that does not get healthy goes back to the former by itself', async () => {
  describeService('{SICK: "1"}');
  await deliverAndDeploy('1.0.2');
  await untilUpdate('web_hello', 'rollback_completed');
  expect((await askService(url(), '1.0.1')).greeting).toBe('it costs $5, "so"');
  expect(await listRunning('web_hello')).toEqual([release.imageId]);
});

test('a stack of the repository gets the image of its service by an override', async () => {
  const own = `version: "3.7"
services:
  web:
    deploy: {labels: {kept: "yes"}}
    ports: [{target: 8080, published: ${port + 1}, mode: host}]
`;
  writeFileSync(join(rig.rootDir, 'stack.own.yml'), own);
  describeService('{}');
  const { dir } = await rig.delivered(['own', '1.0.2', '--output', 'out/own']);
  await deploy('own', 'stack.own.yml', join(dir!, 'stack.override.yml'));
  await askService(`http://${node.address}:${port + 1}/`, '1.0.2');
  expect(await listRunning('own_web')).toEqual([next.imageId]);
});
