import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { type DeliveryRig, openDelivery, readResult } from '../../support/deliver/delivery-rig.ts';
import { type Balancer, darkHeader, type Pools, startBalancer } from '../../support/deployers/haproxy.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { removeContainer, startContainer } from '../../support/engines/engine-images.ts';

const engine = inject('engineHost');
const channels = { dark: 'dark-canary', canary: 'canary', production: 'production' } as const;
type Pool = keyof typeof channels;

let rig: DeliveryRig;
let balancer: Balancer;
const records: Record<string, ImageRecord> = {};
const running = {} as Record<Pool, { id: string; port: number }>;
const pulled = new Set<string>();

beforeAll(async () => {
  rig = await openDelivery({ word: 'pools' });
  rig.describe(`  channels:
    dark-canary: {}
    canary: {after: dark-canary}
    production: {after: canary}
`);
  for (const version of ['1.0.1', '1.0.2']) records[version] = await rig.release(version);
});
afterAll(async () => {
  await balancer?.[Symbol.asyncDispose]();
  for (const { id } of Object.values(running)) await removeContainer(engine, id);
  for (const reference of pulled) await askEngine(engine, 'DELETE', `/images/${reference}`);
  await rig[Symbol.asyncDispose]();
});

const channel = (...args: string[]) =>
  rig.cli.run(['channel', ...args, '--json'], { cwd: rig.rootDir }).then((result) => readResult(result));

/** Deploys what the channel holds as its pool does: by the reference of the delivered file. Returns the old container. */
async function deploy(pool: Pool): Promise<string | undefined> {
  const { text, channel: from } = await rig.delivered(['compose', '--to', channels[pool]]);
  expect(from).toBe(channels[pool]);
  const [, reference] = /image: (\S+@sha256:[0-9a-f]{64})/.exec(text ?? '') ?? [];
  const answer = await askEngine(engine, 'POST', `/images/create?fromImage=${encodeURIComponent(reference ?? '')}`);
  expect([answer.status, answer.text.includes('"error"')], answer.text).toEqual([200, false]);
  pulled.add(reference!);
  const old = running[pool]?.id;
  running[pool] = await startContainer(engine, reference!, '8080/tcp');
  for (let tries = 0; !(await answers(running[pool].port)); tries += 1) {
    if (tries > 200) throw new Error(`${reference} does not answer`);
    await sleep(50);
  }
  return old;
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Deploys the pool, turns the balancer to it, and removes the old container when nobody asks it any more. */
async function renew(pool: Pool): Promise<void> {
  const old = await deploy(pool);
  await balancer.route(portsOf());
  await sleep(500);
  if (old !== undefined) await removeContainer(engine, old);
}

function portsOf(): Pools {
  return { dark: running.dark.port, canary: running.canary.port, production: running.production.port };
}

/** Returns the version of the image that each pool runs, by the image ids of the records. */
async function readPools(): Promise<Record<string, string | undefined>> {
  const versions: Record<string, string | undefined> = {};
  for (const [pool, { id }] of Object.entries(running)) {
    const { Image } = JSON.parse((await askEngine(engine, 'GET', `/containers/${id}/json`)).text) as { Image: string };
    versions[pool] = Object.keys(records).find((version) => records[version]?.imageId === Image);
  }
  return versions;
}

/** Load of four clients until it is ended; one of them is a developer with the header. */
function startLoad() {
  const seen = { dark: new Set<string>(), others: new Set<string>(), failed: [] as string[], count: 0 };
  let isOver = false;
  const ask = async (isDark: boolean) => {
    while (!isOver) {
      try {
        const headers = { connection: 'close', ...(isDark && darkHeader) };
        const answer = await fetch(`http://127.0.0.1:${balancer.port}/`, { headers });
        const { version } = (await answer.json()) as { version: string };
        if (answer.status === 200) seen[isDark ? 'dark' : 'others'].add(version);
        else seen.failed.push(`status ${answer.status}`);
      } catch (error) {
        seen.failed.push(String((error as Error).cause ?? error));
      }
      seen.count += 1;
      await sleep(10);
    }
  };
  const clients = [true, false, false, false].map(ask);
  return {
    seen,
    forget: () => {
      seen.dark.clear();
      seen.others.clear();
    },
    end: async () => {
      isOver = true;
      await Promise.all(clients);
    },
  };
}

test('a release goes from dark canary to production and back without a failed request, its digest in each pool', async () => {
  await channel('set', 'dark-canary', '1.0.1');
  await channel('promote', 'canary');
  await channel('promote', 'production');
  for (const pool of ['dark', 'canary', 'production'] as const) await deploy(pool);
  balancer = await startBalancer(portsOf());
  const load = startLoad();
  const look = async () => {
    load.forget();
    await sleep(1500);
    const { dark, others } = load.seen;
    return { pools: await readPools(), dark: [...dark].sort(), others: [...others].sort() };
  };
  const pools = (dark: string, canary: string, production: string) => ({ dark, canary, production });
  try {
    const [old, next] = ['1.0.1', '1.0.2'];
    expect(await look()).toEqual({ pools: pools(old, old, old), dark: [old], others: [old] });
    await channel('set', 'dark-canary', '1.0.2', '--reason', 'for developers');
    await renew('dark');
    expect(await look()).toEqual({ pools: pools(next, old, old), dark: [next], others: [old] });
    await channel('promote', 'canary');
    await renew('canary');
    expect(await look()).toEqual({ pools: pools(next, next, old), dark: [next], others: [old, next] });
    await channel('promote', 'production');
    await renew('production');
    expect(await look()).toEqual({ pools: pools(next, next, next), dark: [next], others: [next] });
    for (const pool of ['production', 'canary', 'dark'] as const) {
      await channel('rollback', channels[pool]);
      await renew(pool);
    }
    expect(await look()).toEqual({ pools: pools(old, old, old), dark: [old], others: [old] });
  } finally {
    await load.end();
  }
  expect([load.seen.failed, load.seen.count > 100]).toEqual([[], true]);
});

test('what was delivered stands in the history of the channel, and moved nothing', async () => {
  const { stdout } = await rig.cli.run(['channel', 'history', 'production', '--json'], { cwd: rig.rootDir });
  const { entries } = JSON.parse(stdout) as {
    entries: { kind: string; version?: string; release?: { version: string } }[];
  };
  expect(entries.map(({ kind }) => kind)).toEqual(['deliver', 'rollback', 'deliver', 'promote', 'deliver', 'promote']);
});

test('a channel that holds nothing, or is not declared, is refused with what to type', async () => {
  const failure = async (args: string[]) => {
    const { exitCode, stderr } = await rig.deliver(args);
    return [exitCode, rig.plain(stderr)];
  };
  expect(await failure(['compose', '--to', 'prodction'])).toMatchInlineSnapshot(`
    [
      2,
      "error: gbuild.yml of acme/NAME declares no channel "prodction"; the channels are dark-canary, canary, production; did you mean production?
      try: gbuild channel show production --name acme/NAME
      try: or declare it below deliver.channels in gbuild.yml
    ",
    ]
  `);
  expect(await failure(['compose', '1.0.1', '--to', 'production'])).toMatchInlineSnapshot(`
    [
      2,
      "error: the channel production of REGISTRY/1.0.1 holds nothing yet
      try: gbuild channel set production VERSION --name 1.0.1
      try: gbuild channel ls --name 1.0.1
    ",
    ]
  `);
});
