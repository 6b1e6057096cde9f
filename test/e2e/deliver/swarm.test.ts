import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodePort, openSwarm, type SwarmRig } from '../../support/deliver/swarm-rig.ts';

// The matrix tier has what takes updates of a swarm: swarm.matrix.test.ts.
let swarm: SwarmRig;
beforeAll(async () => {
  swarm = await openSwarm('swarm');
});
afterAll(() => swarm?.[Symbol.asyncDispose]());

test('a stack runs the released image, as the service is described', async () => {
  swarm.describe(`{GREETING: 'it costs $5, "so"'}`);
  await swarm.deliverAndDeploy('1.0.1');
  const answer = await swarm.ask('1.0.1');
  expect(answer).toEqual({ version: '1.0.1', greeting: 'it costs $5, "so"', args: ['$a b'] });
  expect(await swarm.listRunning('web_hello')).toEqual([swarm.release.imageId]);
});

test('a stack of the repository gets the image of its service by an override', async () => {
  const own = `version: "3.7"
services:
  web:
    deploy: {labels: {kept: "yes"}}
    ports: [{target: 8080, published: ${nodePort + 1}, mode: host}]
`;
  writeFileSync(join(swarm.rig.rootDir, 'stack.own.yml'), own);
  swarm.describe('{}');
  const { dir } = await swarm.rig.delivered(['own', '1.0.2', '--output', 'out/own']);
  await swarm.deploy('own', 'stack.own.yml', join(dir!, 'stack.override.yml'));
  await swarm.ask('1.0.2', nodePort + 1);
  expect(await swarm.listRunning('own_web')).toEqual([swarm.next.imageId]);
});
