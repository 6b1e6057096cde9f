import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSwarm, type SwarmRig } from '../../support/deliver/swarm-rig.ts';

let swarm: SwarmRig;
beforeAll(async () => {
  swarm = await openSwarm('swarm-updates');
});
afterAll(() => swarm?.[Symbol.asyncDispose]());

test('an update runs the next release, then the former again; one that does not get healthy goes back by itself', async () => {
  const { release, next } = swarm;
  swarm.describe('{GREETING: first}');
  await swarm.deliverAndDeploy('1.0.1');
  await swarm.ask('1.0.1');
  for (const [version, { imageId }] of [
    ['1.0.2', next],
    ['1.0.1', release],
  ] as const) {
    await swarm.deliverAndDeploy(version);
    await swarm.ask(version);
    await swarm.untilUpdate('web_hello', 'completed');
    expect(await swarm.listRunning('web_hello')).toEqual([imageId]);
  }
  swarm.describe('{SICK: "1"}');
  await swarm.deliverAndDeploy('1.0.2');
  await swarm.untilUpdate('web_hello', 'rollback_completed');
  expect((await swarm.ask('1.0.1')).greeting).toBe('first');
  expect(await swarm.listRunning('web_hello')).toEqual([release.imageId]);
});
