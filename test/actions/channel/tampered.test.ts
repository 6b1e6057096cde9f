import { createFixture } from 'fs-fixture';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ChannelContext } from '../../../src/actions/channel/open-channels.ts';
import { promote } from '../../../src/actions/channel/promote.ts';
import { readChannel } from '../../../src/actions/channel/read-channel.ts';
import { rollBack } from '../../../src/actions/channel/rollback.ts';
import { setChannel } from '../../../src/actions/channel/set-channel.ts';
import { readHistory } from '../../../src/actions/channel/show-channel.ts';
import { type ChannelEntry, formatEntry, parseEntry } from '../../../src/channel/entry.ts';
import { makeMove } from '../../../src/channel/next-entry.ts';
import { messageOf } from '../../../src/errors.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/spec.ts';
import { inRegistry, seedReleases } from '../../support/registry/channel-rig.ts';
import { type SpecRegistry, startSpecRegistry } from '../../support/registry/spec-registry.ts';

let fixture: Awaited<ReturnType<typeof createFixture>>;
let registry: SpecRegistry;
let imageName: string;
let turn = 0;

beforeAll(async () => {
  fixture = await createFixture();
  registry = await startSpecRegistry();
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await fixture.rm();
});
/** Each test has a repository whose canary held three releases, one after the other. */
beforeEach(async () => {
  imageName = `tampered-${++turn}`;
  await seedReleases(fixture.path, registry.host, imageName);
  for (const version of ['1.0.0', '1.0.1', '1.0.2']) await run(set('canary', version));
});

const run = <T>(work: (context: ChannelContext) => Promise<T>, readCaller?: () => Promise<string>) =>
  inRegistry({ host: registry.host, imageName, ...(readCaller && { readCaller }) }, work);
const set = (channel: string, version: string) => (context: ChannelContext) =>
  setChannel(context, { channel, version, force: false, reason: undefined });
const rollback = (context: ChannelContext) => rollBack(context, { channel: 'canary', reason: undefined });
const promoted = (context: ChannelContext) =>
  promote(context, { channel: 'production', version: undefined, reason: undefined });

const address = (reference: string) => `http://${registry.host}/v2/${imageName}/manifests/${reference}`;
const readBytes = async (reference: string) => Buffer.from(await (await fetch(address(reference))).arrayBuffer());

async function write(reference: string, body: Buffer): Promise<void> {
  const headers = { 'content-type': mediaTypes.manifest };
  expect((await fetch(address(reference), { method: 'PUT', body: new Uint8Array(body), headers })).status).toBe(201);
}

async function rewrite(tag: string, change: (entry: ChannelEntry) => ChannelEntry): Promise<void> {
  const { entry } = parseEntry(await readBytes(tag), Error);
  await write(tag, formatEntry(change(entry)));
}

async function messageIn(work: Promise<unknown>): Promise<string> {
  const thrown = await work.then(
    () => new Error('nothing was refused'),
    (error: unknown) => error,
  );
  return messageOf(thrown)
    .replaceAll(`${registry.host}/${imageName}`, 'HOST/NAME')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID');
}

const byMallory = (entry: ChannelEntry) => ({ ...entry, by: 'Mallory' });
const broken = (sequence: number, fault: string) =>
  `the channel canary of HOST/NAME cannot be trusted: entry ${sequence} (canary.channel-${sequence}) ${fault}`;

describe('of a chain that somebody changed', () => {
  it('the entry before the newest is missed by every command', async () => {
    await rewrite('canary.channel-2', byMallory);
    for (const work of [rollback, set('canary', '1.0.0'), promoted])
      expect(await messageIn(run(work))).toBe(broken(3, 'does not follow the entry before it'));
    expect(await messageIn(run((context) => readChannel(context, 'canary')))).toBe(
      broken(3, 'does not follow the entry before it'),
    );
  });

  it('a lower entry is missed by the history, and by the roll-back that returns to it', async () => {
    await rewrite('canary.channel-1', byMallory);
    expect(await run((context) => readChannel(context, 'canary'))).toMatchObject({ version: '1.0.2' });
    const { entries, broken: fault } = await run((context) => readHistory(context, 'canary', undefined));
    expect([
      entries.map(({ sequence }) => sequence),
      messageOf(fault).replace(`${registry.host}/${imageName}`, 'HOST/NAME'),
    ]).toEqual([[1], broken(2, 'does not follow the entry before it')]);
    expect(await run(rollback)).toMatchObject({ version: '1.0.1' });
    expect(await messageIn(run(rollback))).toBe(broken(1, 'is not what the channel held before'));
  });

  it('a newest entry of another channel, of another name or of nobody is refused', async () => {
    await rewrite('canary.channel-3', (entry) => ({ ...entry, channel: 'production' }));
    expect(await messageIn(run(rollback))).toBe(broken(3, `is entry 3 of production of ${imageName}`));
    await rewrite('canary.channel-3', (entry) => ({ ...entry, channel: 'canary', name: 'other' }));
    expect(await messageIn(run(rollback))).toBe(broken(3, 'is entry 3 of canary of other'));
    await write('canary.channel-3', await readBytes('1.0.0'));
    expect(await messageIn(run(rollback))).toBe(broken(3, 'cannot be used: it is not an entry of a channel'));
  });

  it('a step that the rules do not allow is refused by the history, though its links are right', async () => {
    const head = parseEntry(await readBytes('canary.channel-3'), Error);
    const { name, channel, by, at, run: word } = head.entry;
    const release = { ...head.entry.release, version: '6.6.6' };
    const forged = makeMove({ ...head, sequence: 3 }, 'set', release, { name, channel, by, at, run: word });
    await write('canary.channel-4', formatEntry({ ...forged, back: { sequence: 1, digest: forged.previous! } }));
    const { entries, broken: fault } = await run((context) => readHistory(context, 'canary', undefined));
    expect([entries.length, messageOf(fault)]).toEqual([
      3,
      expect.stringContaining('entry 4 (canary.channel-4) does not say what was before it'),
    ]);
  });

  it('a missing entry is named', async () => {
    const accept = mediaTypes.manifest;
    const digest = (await fetch(address('canary.channel-2'), { method: 'HEAD', headers: { accept } })).headers;
    await fetch(address(digest.get('docker-content-digest')!), { method: 'DELETE' });
    expect(await messageIn(run(rollback))).toBe(broken(3, 'follows one that is missing'));
    const { entries, broken: fault } = await run((context) => readHistory(context, 'canary', undefined));
    expect([entries.length, messageOf(fault)]).toEqual([
      1,
      expect.stringContaining('entry 2 (canary.channel-2) is missing'),
    ]);
  });
});

it('a version that is another image by now is neither promoted nor rolled back to', async () => {
  await write('1.0.2', await readBytes('1.0.0'));
  expect(await messageIn(run(promoted))).toBe(
    'the release 1.0.2 of HOST/NAME, which was ID on the channel, is ID now: somebody moved it',
  );
  await write('1.0.1', await readBytes('1.0.0'));
  expect(await messageIn(run(rollback))).toBe(
    'the release 1.0.1 of HOST/NAME, which was ID on the channel, is ID now: somebody moved it',
  );
});

it('a promotion does not take over what the channel before has just lost', async () => {
  const moveCanary = async () => {
    await run(rollback);
    return 'Bob';
  };
  expect(await messageIn(run(promoted, moveCanary))).toBe(
    'the channel canary was moved while production was; nothing was changed',
  );
  expect(await run((context) => readChannel(context, 'production'))).toBeUndefined();
  expect(await run(promoted)).toMatchObject({ version: '1.0.1' });
});

it('a list of tags that lags behind hides no entry', async () => {
  const behind = (context: ChannelContext) => {
    const { place } = context;
    const listTags = place.listTags.bind(place);
    place.listTags = async () => (await listTags()).filter((tag) => !/channel-[23]$/.test(tag));
    return context;
  };
  const pointer = await run((context) => readChannel(behind(context), 'canary'));
  expect(pointer).toMatchObject({ version: '1.0.2', sequence: 3 });
  expect(await run((context) => set('canary', '1.0.0')(behind(context)))).toMatchObject({ sequence: 4 });
});

it('a tag goes where the newest entry points, also when the channel was moved while it was written', async () => {
  await run(promoted);
  await run(set('canary', '1.0.0'));
  let isFirst = true;
  const overtaken = (context: ChannelContext) => {
    const { place } = context;
    const moveTag = place.moveTag.bind(place);
    place.moveTag = async (tag: string, digest: Digest) => {
      if (isFirst) {
        isFirst = false;
        await run((other) => rollBack(other, { channel: 'production', reason: undefined }));
      }
      await moveTag(tag, digest);
    };
    return promoted(context);
  };
  expect(await run(overtaken)).toMatchObject({ version: '1.0.0' });
  const pointer = await run((context) => readChannel(context, 'production'));
  expect(pointer).toMatchObject({ version: '1.0.2', sequence: 3 });
  expect(await run(({ place }) => place.readDigest('production'))).toBe(pointer?.digest);
});
