import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { RotateReport } from '../../../src/actions/rotate/report.ts';
import type { CallOptions } from '../../support/cli/cli.ts';
import { type DeliveryRig, openDelivery, readResult } from '../../support/deliver/delivery-rig.ts';
import {
  commitImage,
  inspectImage,
  listTags,
  removeRepository,
  tagImage,
} from '../../support/engines/engine-images.ts';

const engine = inject('engineHost');
const baseName = `e2e-rotate-base-${process.pid}`;
const base = `${baseName}:1`;
let rig: DeliveryRig;

beforeAll(async () => {
  rig = await openDelivery({ word: 'rotate', image: `  base: ${base}\n` });
  const runtime = (await listTags(engine, 'gbuild/node')).find((tag) => /:22\..*-runtime$/.test(tag));
  await tagImage(engine, runtime!, base);
  describeService('{health: /health}');
});
afterAll(async () => {
  await removeRepository(engine, baseName);
  await rig[Symbol.asyncDispose]();
});

function describeService(service: string): void {
  rig.describe(`  service: ${service}
  channels:
    canary: {}
    production: {after: canary, soak: 1h}
`);
}

const run = (args: string[], options: CallOptions = {}) => rig.cli.run(args, { cwd: rig.rootDir, ...options });
const channel = async (...args: string[]) => readResult(await run(['channel', ...args, '--json']));
const rotate = async (args: string[] = [], options: CallOptions = {}): Promise<RotateReport> =>
  readResult(await run(['rotate', '--json', ...args], options));

const plain = (text: string) =>
  rig
    .plain(text)
    .replaceAll(baseName, 'BASE')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/\b\d+ (?:h|min)(?: \d+ (?:min|s))?\b/g, 'WAIT')
    .replaceAll(/ {2,}/g, '  ');

/** Moves the base: another image gets its name. */
async function moveBase(script: string): Promise<void> {
  await commitImage(engine, base, base, script);
}

test('a release on a channel gets the base of today, its channel moves, and the next one waits for its soak', async () => {
  await rig.release('1.0.1');
  await channel('set', 'canary', '1.0.1');
  await channel('set', 'production', '1.0.1', '--force', '--reason', 'the first');
  expect((await rotate()).releases).toMatchObject([
    { version: '1.0.1', channels: ['canary', 'production'], state: 'current' },
  ]);

  await moveBase('echo fixed >/tmp/fixed');
  expect((await rotate(['--dry-run'])).releases).toMatchObject([{ state: 'due', next: '1.0.2', moves: [] }]);
  const { releases } = await rotate(['--smoke']);
  expect(releases).toMatchObject([
    {
      state: 'rotated',
      next: '1.0.2',
      made: true,
      moves: [
        { channel: 'canary', holds: '1.0.2' },
        { channel: 'production', holds: '1.0.1', waits: { why: expect.stringContaining('left') } },
      ],
    },
  ]);
  expect((await inspectImage(engine, `${rig.name}:1.0.2`))?.Config.Labels?.['io.gbuild.rebased-from']).toContain(
    ':1.0.1@',
  );
});

test('the next rotation makes no other release of the same, and moves what may move', async () => {
  const { releases } = await rotate();
  expect(releases).toMatchObject([
    { version: '1.0.2', channels: ['canary'], state: 'current' },
    { version: '1.0.1', channels: ['production'], state: 'rotated', next: '1.0.2', made: false },
  ]);
  const { exitCode, stdout } = await run(['rotate']);
  expect([exitCode, plain(stdout)]).toMatchInlineSnapshot(`
    [
      0,
      "NAME  VERSION  CHANNELS  STATE  RESULT
    acme/NAME  1.0.2  canary  current  BASE:1
    acme/NAME  1.0.1  production  rotated  1.0.2 on BASE:1 (made before); waits: production
    acme/NAME production: the channel canary holds 1.0.2 since TIME, and production wants it to have held it for WAIT: WAIT left
      try: gbuild channel promote production 1.0.2 --name acme/NAME --registry REGISTRY  # in WAIT
      try: gbuild channel set production 1.0.2 --force --reason 'why it cannot wait' --name acme/NAME --registry REGISTRY
    ",
    ]
  `);
});

test('a release that is not well on its new base gets no name, moves nothing, and does not stop the others', async () => {
  await moveBase("echo 'console.log(`it is broken`); process.exit(7)' >/tmp/broken.cjs");
  describeService('{health: /health, env: {NODE_OPTIONS: "--require /tmp/broken.cjs"}}');
  const { exitCode, stdout } = await run(['rotate', '--smoke', '--json']);
  const { error } = JSON.parse(stdout) as { error: { code: string; message: string; facts: RotateReport } };
  expect([exitCode, error.code, plain(error.message)]).toMatchInlineSnapshot(`
    [
      1,
      "smoke-failed",
      "acme/NAME:1.0.2: acme/NAME:1.0.3 ended with exit code 7 before /health answers 200 on port 8080
      it is broken; 1 more failed",
    ]
  `);
  expect(error.facts.releases.map(({ state }) => state)).toEqual(['failed', 'failed']);
  expect(await inspectImage(engine, `${rig.name}:1.0.3`)).toBeUndefined();
});

test('outside of a repository all that a registry lists is rotated', async () => {
  await moveBase('rm /tmp/broken.cjs');
  const { releases } = await rotate(['--registry', rig.registry.host, '--dry-run'], { cwd: rig.cli.dir });
  expect(releases.map(({ name, state }) => [name === rig.name, state])).toEqual([
    [true, 'due'],
    [true, 'due'],
  ]);
});

test('where nothing says what to rotate, the command says what to type', async () => {
  const { exitCode, stderr } = await run(['rotate'], { cwd: rig.cli.dir });
  expect([exitCode, plain(stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: nothing says what to rotate: there is no repository here, and no registry is named
      try: gbuild rotate acme/hello
      try: gbuild rotate --registry registry.example.com  # all that it lists
    ",
    ]
  `);
});
