import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type DeliveryRig, openDelivery } from '../../support/deliver/delivery-rig.ts';
import { releaseByRules } from '../../support/deployers/ionroller-driver.ts';
import { askUntilUp } from '../../support/network/ask-until-up.ts';

let rig: DeliveryRig;
let imageId: string;

beforeAll(async () => {
  rig = await openDelivery({ word: 'ionroller' });
  ({ imageId } = await rig.release('1.0.1'));
});
afterAll(() => rig[Symbol.asyncDispose]());

test('with the configuration set, two words release a version', async () => {
  const greeting = 'it\'s "5 $" \\ 100 % ünï';
  const args = ['-Da=b c', "it's $HOME"];
  rig.describe(`  service: { name: hello, env: { GREETING: ${JSON.stringify(greeting)} }, args: ${JSON.stringify(args)} }
  targets:
    ion:
      kind: ionroller
      options:
        url: hello.example.com
        hostedZoneId: Z123
        awsAccountId: "012345678901"
        serviceRole: hello
        deploymentBucket: bucket
`);
  const { exitCode, stdout, stderr } = await rig.deliver(['ion', '1.0.1']);
  expect(exitCode, stderr).toBe(0);
  await using environment = await releaseByRules(inject('engineHost'), 'hello', '1.0.1', stdout);
  expect([environment.name, environment.baseId]).toEqual(['hello-1-0-1', imageId]);
  expect(await askUntilUp(environment.url)).toEqual({ version: '1.0.1', greeting, args });
});

test('a version that is cut in the name of its environment is told', async () => {
  await rig.release('1.0.2-nightly.10');
  const { exitCode, stderr } = await rig.deliver(['ion', '1.0.2-nightly.10']);
  expect([exitCode, rig.plain(stderr)]).toMatchInlineSnapshot(`
    [
      0,
      "warning: ion names the environment hello-1-0-2-nightly-..., without the end of 1.0.2-nightly.10: versions that differ only there look alike in Elastic Beanstalk
    > rendering for ion
    + rendering for ion (<time>)
    ",
    ]
  `);
});
