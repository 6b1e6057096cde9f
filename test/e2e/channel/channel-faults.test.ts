import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChannelContext } from '../../../src/actions/channel/open-channels.ts';
import { promote } from '../../../src/actions/channel/promote.ts';
import { readChain, readHead } from '../../../src/actions/channel/read-head.ts';
import { rollBack } from '../../../src/actions/channel/rollback.ts';
import { setChannel } from '../../../src/actions/channel/set-channel.ts';
import { openCli } from '../../support/cli/cli.ts';
import { type FaultProxy, startFaultProxy } from '../../support/network/fault-proxy.ts';
import { inRegistry, seedReleases } from '../../support/registry/channel-rig.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';

const cli = openCli();
let registry: TestRegistry;
let proxy: FaultProxy;
let counted = 0;

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startFaultProxy(registry.host);
});
afterAll(async () => {
  process.stderr.write(`channel faults: ${counted} commands disturbed\n`);
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

const set = (context: ChannelContext, channel: string, version: string, force = false) =>
  setChannel(context, { channel, version, force, reason: 'for the test' });
const moves = {
  promote: (context: ChannelContext) =>
    promote(context, { channel: 'production', version: undefined, reason: undefined }),
  rollback: (context: ChannelContext) => rollBack(context, { channel: 'production', reason: undefined }),
};
const gbuild = (host: string, imageName: string, command: keyof typeof moves) => {
  const words = ['channel', command, 'production', '--name', imageName, '--registry', host];
  return command === 'rollback' ? words : words.toSpliced(3, 2);
};

/** A repository whose production would go from 1.0.0 to 1.0.1 by either command. */
async function prepare(imageName: string, command: keyof typeof moves): Promise<void> {
  await inRegistry({ host: registry.host, imageName }, async (context) => {
    if (command === 'rollback') await set(context, 'production', '1.0.1', true);
    await set(context, 'production', '1.0.0', true);
    await set(context, 'canary', '1.0.1');
  });
}

/** What production holds, after its whole chain was verified, and what its tag names. */
async function readState(imageName: string) {
  return inRegistry({ host: registry.host, imageName }, async ({ place }) => {
    const { chain, broken } = await readChain(place, 'production');
    expect(broken).toBeUndefined();
    const head = await readHead(place, 'production');
    expect(head?.digest).toBe(chain.at(-1)?.digest);
    const { version, digest } = head!.entry.release;
    return { version, entries: chain.length, isTagRight: (await place.readDigest('production')) === digest };
  });
}

async function countRequests(imageName: string, command: keyof typeof moves): Promise<number> {
  await seedReleases(cli.dataDir, registry.host, imageName);
  await prepare(imageName, command);
  proxy.reset();
  await inRegistry({ host: proxy.host, imageName }, moves[command]);
  expect(await readState(imageName)).toMatchObject({ version: '1.0.1', isTagRight: true });
  return proxy.requests.length;
}

describe.each(['promote', 'rollback'] as const)('%s', (command) => {
  let requests = 0;
  beforeAll(async () => {
    requests = await countRequests(`counted-${command}`, command);
    expect(requests).toBeGreaterThan(10);
  });

  test('on a registry that dies at any request leaves the old or the new, and the next one ends it', async () => {
    const imageName = `dies-${command}`;
    await seedReleases(cli.dataDir, registry.host, imageName);
    for (let at = 1; at <= requests; at += 1) {
      await prepare(imageName, command);
      const before = await readState(imageName);
      proxy.reset();
      proxy.fault({ from: at, action: { answer: { status: 502 } } });
      const failure = await inRegistry({ host: proxy.host, imageName }, moves[command]).then(
        () => undefined,
        (error: { code: string; suggestions: string[] }) => error,
      );
      counted += 1;
      const after = await readState(imageName);
      expect([at, after.entries - before.entries]).toEqual([at, after.version === '1.0.1' ? 1 : 0]);
      // Requests after the last move only clean up.
      if (failure === undefined) expect([at, after]).toEqual([at, { ...after, version: '1.0.1', isTagRight: true }]);
      else expect([at, failure.code]).toEqual([at, 'registry-failed']);
      // Who may have moved the channel is told how to see it.
      if (failure !== undefined && after.entries > before.entries)
        expect([at, failure.suggestions]).toEqual([
          at,
          expect.arrayContaining([expect.stringMatching(/^gbuild channel (show|set) production/)]),
        ]);
      await inRegistry({ host: registry.host, imageName }, (context) => set(context, 'production', '1.0.1', true));
      expect([at, await readState(imageName)]).toMatchObject([at, { version: '1.0.1', isTagRight: true }]);
    }
  });

  test('that is killed at any request leaves the old or the new, and nobody waits for it', async () => {
    const imageName = `killed-${command}`;
    const body = `deliver:\n  channels: {canary: {}, production: {after: canary, tag: production}}\n`;
    const cwd = cli.repository(command, {
      'gbuild.yml': `gbuild: 1\nname: ${imageName}\ntoolchain: node@^22\n${body}`,
    });
    await seedReleases(cli.dataDir, registry.host, imageName);
    for (let at = 1; at <= requests; at += 1) {
      await prepare(imageName, command);
      const before = await readState(imageName);
      proxy.reset();
      proxy.fault({ from: at, action: { stallAnswer: -1 } });
      const running = cli.start(gbuild(proxy.host, imageName, command), { cwd });
      let hasEnded = false;
      running.ended.then(() => {
        hasEnded = true;
      });
      while (proxy.requests.length < at && !hasEnded) await sleep(5);
      // What is in flight arrives.
      await sleep(20);
      running.kill('SIGKILL');
      const { exitCode: ended, stderr: said } = await running.ended;
      expect([at, ended], said).toEqual([at, 'SIGKILL']);
      counted += 1;
      const after = await readState(imageName);
      expect([at, after.entries - before.entries]).toEqual([at, after.version === '1.0.1' ? 1 : 0]);
      const next = [
        'channel',
        'set',
        'production',
        '1.0.1',
        '--force',
        '--reason',
        'again',
        '--registry',
        registry.host,
      ];
      const { exitCode, stderr } = await cli.run(next, { cwd });
      expect([at, exitCode, stderr]).toEqual([at, 0, '']);
      expect([at, await readState(imageName)]).toMatchObject([at, { version: '1.0.1', isTagRight: true }]);
    }
  });

  test('by four at once is done by one, and the others are told by whom', async () => {
    const imageName = `race-${command}`;
    await seedReleases(cli.dataDir, registry.host, imageName);
    for (let round = 0; round < 5; round += 1) {
      await prepare(imageName, command);
      const before = await readState(imageName);
      const names = ['Ada', 'Bob', 'Cem', 'Dua'];
      let waiting = names.length;
      const gate = Promise.withResolvers<void>();
      const move = (name: string) => {
        // Each has read the old state before the first one writes.
        const readCaller = async () => {
          waiting -= 1;
          if (waiting === 0) gate.resolve();
          await gate.promise;
          return name;
        };
        return inRegistry({ host: registry.host, imageName, readCaller, isAlive: true }, moves[command]);
      };
      const results = await Promise.allSettled(names.map(move));
      const winner = names[results.findIndex(({ status }) => status === 'fulfilled')];
      const lost = results.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
      const done = command === 'promote' ? 'promoted' : 'rolled back to';
      expect(lost.map(({ code, message }) => [code, message])).toEqual(
        Array(3).fill(['release-refused', expect.stringContaining(`was moved meanwhile: ${winner} ${done} 1.0.1 at `)]),
      );
      const after = await readState(imageName);
      expect(after).toEqual({ version: '1.0.1', entries: before.entries + 1, isTagRight: true });
    }
  });
});
