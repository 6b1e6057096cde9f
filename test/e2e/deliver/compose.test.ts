import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeCompose } from '../../support/deliver/compose-suite.ts';
import { type DeliveryRig, openDelivery } from '../../support/deliver/delivery-rig.ts';

let rig: DeliveryRig;
let imageId: string;

beforeAll(async () => {
  rig = await openDelivery({ word: 'compose' });
  ({ imageId } = await rig.release('1.0.1'));
});
afterAll(() => rig[Symbol.asyncDispose]());

test('a repository that says nothing of deliveries delivers a compose file with the digest', async () => {
  const { exitCode, stdout, stderr } = await rig.deliver(['compose', '1.0.1']);
  expect([exitCode, rig.plain(stdout)], stderr).toMatchInlineSnapshot(`
    [
      0,
      "services:
      NAME:
        image: REGISTRY/acme/NAME@sha256:ID
        restart: unless-stopped
        ports:
          - 8080:8080

    ",
    ]
  `);
  expect((await rig.delivered(['compose', '1.0.1'])).imageId).toBe(imageId);
});

// The matrix tier has the old one of bookworm: compose.matrix.test.ts.
describeCompose('trixie');
