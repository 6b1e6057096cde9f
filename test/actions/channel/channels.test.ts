import { createFixture } from 'fs-fixture';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listChannels } from '../../../src/actions/channel/list-channels.ts';
import type { ChannelContext } from '../../../src/actions/channel/open-channels.ts';
import { promote } from '../../../src/actions/channel/promote.ts';
import { readChannel } from '../../../src/actions/channel/read-channel.ts';
import { recordDelivery } from '../../../src/actions/channel/record-delivery.ts';
import { rollBack } from '../../../src/actions/channel/rollback.ts';
import { setChannel } from '../../../src/actions/channel/set-channel.ts';
import { readHistory, showChannel } from '../../../src/actions/channel/show-channel.ts';
import { messageOf } from '../../../src/errors.ts';
import { type ChannelRig, openChannelRig, seedReleases } from '../../support/registry/channel-rig.ts';
import { type SpecRegistry, startSpecRegistry } from '../../support/registry/spec-registry.ts';

const set = (channel: string, version: string, more: { force?: boolean; reason?: string } = {}) => {
  const { force = false, reason } = more;
  return (context: ChannelContext) => setChannel(context, { channel, version, force, reason });
};
const promoted = (channel: string, version?: string) => (context: ChannelContext) =>
  promote(context, { channel, version, reason: undefined });
const back = (channel: string) => (context: ChannelContext) => rollBack(context, { channel, reason: undefined });
const history = (channel: string) => (context: ChannelContext) => readHistory(context, channel, undefined);

/** A refusal as its reader meets it. */
async function refusalOf(work: Promise<unknown>): Promise<string[]> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  const { code, suggestions } = thrown as { code?: string; suggestions?: string[] };
  const plain = (text: string) => text.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST');
  return [code ?? 'nothing thrown', messageOf(thrown), ...(suggestions ?? [])].map(plain);
}

describe.each(['a registry', 'the store'])('channels in %s', (place) => {
  let fixture: Awaited<ReturnType<typeof createFixture>>;
  let registry: SpecRegistry | undefined;
  let rig: ChannelRig;

  beforeEach(async () => {
    fixture = await createFixture();
    registry = place === 'a registry' ? await startSpecRegistry({ pageSize: 3 }) : undefined;
    rig = openChannelRig(fixture.path, registry?.host);
    await seedReleases(fixture.path, registry?.host);
  });
  afterEach(async () => {
    await registry?.[Symbol.asyncDispose]();
    await fixture.rm();
  });

  it('go from one to the next, and back by one word', async () => {
    expect(await rig.run(set('canary', '1.0.0', { reason: 'first' }))).toMatchObject({ sequence: 1, changed: true });
    rig.wait(3600);
    expect(await rig.run(promoted('production'))).toMatchObject({ kind: 'promote', version: '1.0.0', sequence: 1 });
    for (const version of ['1.0.1', '1.0.2']) {
      await rig.run(set('canary', version));
      rig.wait(3600);
      expect(await rig.run(promoted('production', version))).toMatchObject({ version, changed: true });
    }
    expect(await rig.run(back('production'))).toMatchObject({ kind: 'rollback', from: '1.0.2', version: '1.0.1' });
    expect(await rig.run(back('production'))).toMatchObject({ kind: 'rollback', from: '1.0.1', version: '1.0.0' });
    expect((await refusalOf(rig.run(back('production')))).slice(0, 2)).toEqual([
      'release-refused',
      expect.stringMatching(/^the channel production of .* held nothing before 1.0.0: there is nothing to go back to$/),
    ]);
    const { entries, broken } = await rig.run(history('production'));
    expect([broken, entries.map(({ kind, from, release }) => [kind, from, release.version])]).toEqual([
      undefined,
      [
        ['rollback', '1.0.1', '1.0.0'],
        ['rollback', '1.0.2', '1.0.1'],
        ['promote', '1.0.1', '1.0.2'],
        ['promote', '1.0.0', '1.0.1'],
        ['promote', undefined, '1.0.0'],
      ],
    ]);
    expect((await rig.run(history('canary'))).entries.at(-1)).toMatchObject({ reason: 'first', by: 'Ada' });
  });

  it('give every reader the same digest and image ids', async () => {
    await rig.run(set('canary', '1.0.1'));
    const pointer = await rig.run((context) => readChannel(context, 'canary'));
    const found = await rig.run(({ place }) => place.findRelease('1.0.1'));
    expect(pointer).toMatchObject({ ...found, sequence: 1, since: '2026-12-01T12:00:00.000Z', by: 'Ada' });
    expect(await rig.run((context) => readChannel(context, 'production'))).toBeUndefined();
    const shown = await rig.run((context) => showChannel(context, 'canary', undefined));
    expect([shown.digest, shown.imageIds]).toEqual([pointer?.digest, pointer?.imageIds]);
    expect(
      (await rig.run(listChannels)).map(({ channel, pointer }) => [channel, pointer && 'version' in pointer]),
    ).toEqual([
      ['canary', true],
      ['production', undefined],
    ]);
  });

  it('do nothing for the release that is there, and add no entry', async () => {
    await rig.run(set('canary', '1.0.0'));
    expect(await rig.run(set('canary', '1.0.0'))).toMatchObject({ changed: false, sequence: 1 });
    rig.wait(3600);
    await rig.run(promoted('production'));
    expect(await rig.run(promoted('production'))).toMatchObject({ changed: false, sequence: 1 });
    // Also where the channel comes after another one: this is how a tag is mended.
    expect(await rig.run(set('production', '1.0.0'))).toMatchObject({ changed: false, sequence: 1 });
  });

  it('are not moved past the channel before, unless by force and with a reason', async () => {
    await rig.run(set('canary', '1.0.0'));
    const refused = await refusalOf(rig.run(set('production', '1.0.0')));
    expect(refused).toEqual([
      'release-refused',
      'the channel production comes after canary: it gets what canary holds, and 1.0.0 was not promoted',
      expect.stringMatching(/^gbuild channel promote production/),
      expect.stringMatching(/^gbuild channel set production 1\.0\.0 --force --reason 'why it cannot wait'/),
    ]);
    expect((await refusalOf(rig.run(set('production', '1.0.0', { force: true }))))[0]).toBe('usage');
    const forced = set('production', '1.0.2', { force: true, reason: 'the canary is down' });
    expect(await rig.run(forced)).toMatchObject({ version: '1.0.2', changed: true });
    expect((await rig.run(history('production'))).entries[0]?.reason).toBe('the canary is down');
  });

  it('promote what has been long enough on the channel before, and only that', async () => {
    expect((await refusalOf(rig.run(promoted('production'))))[1]).toMatch(/the channel canary of .* holds nothing yet/);
    await rig.run(set('canary', '1.0.0'));
    expect((await refusalOf(rig.run(promoted('production', '1.0.1'))))[1]).toBe(
      'the channel canary holds 1.0.0 (Ada, 2026-12-01T12:00:00.000Z), not 1.0.1: only what it holds can be promoted',
    );
    rig.wait(1800);
    expect((await refusalOf(rig.run(promoted('production')))).slice(0, 2)).toEqual([
      'release-refused',
      'the channel canary holds 1.0.0 since 2026-12-01T12:00:00.000Z, and production wants it to have held it for 1 h: 30 min left',
    ]);
    // A delivery is no move: the time goes on.
    const pointer = (await rig.run((context) => readChannel(context, 'canary')))!;
    await rig.run((context) => recordDelivery(context, pointer, { target: 'stack', kind: 'compose', files: [] }));
    rig.wait(1800);
    expect(await rig.run(promoted('production'))).toMatchObject({ version: '1.0.0' });
    expect((await refusalOf(rig.run(promoted('canary'))))[1]).toBe(
      'the channel canary comes after no other one in gbuild.yml: nothing says what to promote',
    );
  });

  it('record deliveries without a move, each once, and none of a release that was replaced meanwhile', async () => {
    await rig.run(set('canary', '1.0.0'));
    const pointer = (await rig.run((context) => readChannel(context, 'canary')))!;
    const files = [{ path: 'compose.yml', sha256: 'ab'.repeat(32) }];
    const record = (target: string, of = pointer) =>
      rig.run((context) => recordDelivery(context, of, { target, kind: 'compose', files }));
    const both = await Promise.all([record('stack'), record('cluster')]);
    expect(both.map(({ sequence }) => sequence).sort()).toEqual([2, 3]);
    const last = both.find(({ sequence }) => sequence === 3)!;
    const { entries } = await rig.run(history('canary'));
    expect(await record(entries[0]!.delivery!.target)).toEqual(last);
    expect(last).toMatchObject({ version: '1.0.0', since: pointer.since });
    expect(entries[0]?.delivery?.files).toEqual(files);
    await rig.run(set('canary', '1.0.1'));
    expect((await refusalOf(record('stack'))).slice(0, 2)).toEqual([
      'release-refused',
      expect.stringMatching(/was moved to 1.0.1 by Ada \(entry 4\) while 1.0.0 was delivered/),
    ]);
    expect(await rig.run(back('canary'))).toMatchObject({ version: '1.0.0' });
  });

  it('refuse what is no release, and names that gbuild.yml does not declare', async () => {
    expect((await refusalOf(rig.run(set('canary', '9.9.9')))).slice(0, 2)).toEqual([
      'release-refused',
      expect.stringMatching(/^there is no release 9\.9\.9 of /),
    ]);
    expect((await refusalOf(rig.run(set('canary', 'latest'))))[1]).toBe(
      '"latest" is not an exact version such as 1.0.1: a channel points at what never moves',
    );
    expect((await refusalOf(rig.run(set('prodution', '1.0.0')))).slice(0, 3)).toEqual([
      'usage',
      'gbuild.yml of hello declares no channel "prodution"; the channels are canary, production; did you mean production?',
      expect.stringMatching(/^gbuild channel show production/),
    ]);
    expect((await refusalOf(rig.run(set('1.0.0', '1.0.0'))))[0]).toBe('usage');
    expect((await refusalOf(rig.run(back('canary'))))[1]).toMatch(/holds nothing yet/);
  });

  it('let one of two moves win, and tell the other what won', async () => {
    await rig.run(set('canary', '1.0.0'));
    const results = await Promise.allSettled(['1.0.1', '1.0.2'].map((version) => rig.run(set('canary', version))));
    const won = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value.version] : []));
    const lost = results.flatMap((each) => (each.status === 'rejected' ? [each.reason.message] : []));
    expect([won.length, lost]).toEqual([
      1,
      [expect.stringMatching(`was moved meanwhile: Ada set ${won[0]} at 2026-12-01T12:00:00.000Z \\(entry 2\\)`)],
    ]);
    expect(await rig.run((context) => readChannel(context, 'canary'))).toMatchObject({ version: won[0], sequence: 2 });
  });
});
