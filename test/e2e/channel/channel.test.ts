import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ChannelRecord } from '../../../src/actions/channel/channel-record.ts';
import type { ChannelHistoryEntry, ShownChannel } from '../../../src/actions/channel/show-channel.ts';
import { type CallOptions, openCli } from '../../support/cli/cli.ts';
import { type FaultProxy, startFaultProxy } from '../../support/network/fault-proxy.ts';
import { seedReleases } from '../../support/registry/channel-rig.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';

const cli = openCli();
let registry: TestRegistry;
let proxy: FaultProxy;
let rootDir: string;

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startFaultProxy(registry.host);
  await seedReleases(cli.dataDir, registry.host);
  rootDir = repositoryOf('hello');
});
beforeEach(() => proxy.reset());
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

function repositoryOf(name: string): string {
  const channels = '{canary: {}, production: {after: canary, tag: production}}';
  const spec = `gbuild: 1\nname: ${name}\ntoolchain: node@^22\ndeliver: {channels: ${channels}}\n`;
  return cli.repository(name, { 'gbuild.yml': spec });
}

const noEngine = {
  DOCKER_HOST: 'unix:///nowhere.sock',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
};
const channel = (words: string[], options: CallOptions = {}) =>
  cli.run(['channel', ...words], {
    cwd: rootDir,
    ...options,
    env: { ...noEngine, GBUILD_REGISTRY: proxy.host, ...options.env },
  });

async function recordOf<T = ChannelRecord>(words: string[], options: CallOptions = {}): Promise<T> {
  const { exitCode, stdout, stderr } = await channel([...words, '--json'], options);
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as T;
}

const plain = (text: string) =>
  cli
    .plain(text)
    .replaceAll(proxy.host, 'REGISTRY')
    .replaceAll(/\b\d+ (min|h)\b/g, '<time>')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'THEN')
    .replaceAll(/sha256:[0-9a-f]{64}|\b[0-9a-f]{12}\b/g, 'ID');

async function digestOf(tag: string, name = 'hello'): Promise<string | null> {
  const accept = 'application/vnd.oci.image.manifest.v1+json';
  const address = `http://${registry.host}/v2/${name}/manifests/${tag}`;
  return (await fetch(address, { method: 'HEAD', headers: { accept } })).headers.get('docker-content-digest');
}

test('a release goes by canary to production, and the tag follows', async () => {
  const first = await channel(['set', 'canary', '1.0.0', '--reason', 'first users']);
  expect([first.exitCode, plain(first.stdout), first.stderr]).toEqual([0, 'canary: 1.0.0 (ID, entry 1)\n', '']);
  await recordOf(['promote', 'production']);
  await recordOf(['set', 'canary', '1.0.1']);
  const promoted = await channel(['promote', 'production', '--reason', 'a day without errors']);
  expect(plain(promoted.stdout)).toBe('production: 1.0.0 -> 1.0.1 (ID, entry 2); the tag production follows\n');
  expect(await digestOf('production')).toBe(await digestOf('1.0.1'));
  const again = await channel(['promote', 'production']);
  expect([again.exitCode, plain(again.stdout)]).toEqual([0, 'production holds 1.0.1 already (ID, entry 2)\n']);
  const shown = await channel(['show', 'production']);
  expect(plain(shown.stdout)).toMatchInlineSnapshot(`
    "channel   production of REGISTRY/hello
    release   1.0.1 (ID)
    image     ID
    since     THEN (<time>)
    entry     2 (ID) by Ada <ada@example.org>, not signed
    reason    a day without errors
    rollback  returns to 1.0.0
    tag       production
    "
  `);
  const { stdout } = await channel(['history', 'production']);
  expect(plain(stdout).replaceAll(/ +/g, ' ')).toMatchInlineSnapshot(`
    "ENTRY WHEN WHO WHAT RELEASE DIGEST SIGNED WHY
    2 THEN Ada <ada@example.org> promote 1.0.0 -> 1.0.1 ID no a day without errors
    1 THEN Ada <ada@example.org> promote 1.0.0 ID no
    "
  `);
});

test('roll-back is one word, and needs the registry alone', async () => {
  const other = openCli();
  const words = ['channel', 'rollback', 'production', '--name', 'hello', '--registry', proxy.host];
  const { exitCode, stdout, stderr } = await other.run(words, { env: noEngine });
  other[Symbol.dispose]();
  expect([exitCode, plain(stdout), stderr]).toEqual([
    0,
    'production: rolled back, 1.0.1 -> 1.0.0 (ID, entry 3); the tag production follows\n',
    '',
  ]);
  expect(await digestOf('production')).toBe(await digestOf('1.0.0'));
  const refused = await channel(['rollback', 'production']);
  expect([refused.exitCode, plain(refused.stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: the channel production of REGISTRY/hello held nothing before 1.0.0: there is nothing to go back to
      try: gbuild channel history production
      try: gbuild channel set production VERSION
    ",
    ]
  `);
});

test('the lists show the channels of each release, and entries are no releases', async () => {
  const { stdout } = await channel(['ls']);
  expect(plain(stdout).replaceAll(/ +/g, ' ')).toMatchInlineSnapshot(`
    "CHANNEL VERSION DIGEST AGE BY AFTER TAG
    canary 1.0.1 ID <time> Ada <ada@example.org>
    production 1.0.0 ID <time> Ada <ada@example.org> canary production
    "
  `);
  const { releases } = JSON.parse(
    (await cli.run(['releases', '--json', '--registry', proxy.host], { cwd: rootDir, env: noEngine })).stdout,
  ) as { releases: { version: string; channels?: string[] }[] };
  expect(releases.map(({ version, channels }) => [version, channels])).toEqual([
    ['1.0.2', undefined],
    ['1.0.1', ['canary']],
    ['1.0.0', ['production']],
  ]);
  const table = await cli.run(['releases', '--registry', proxy.host], { cwd: rootDir, env: noEngine });
  const [headings, ...rows] = table.stdout.trimEnd().split('\n');
  const column = headings?.indexOf('CHANNEL') ?? -1;
  expect(rows.map((row) => row.slice(column).trim().split(/ {2,}/)[0])).toEqual([
    `store, ${proxy.host}`,
    'canary',
    'production',
  ]);
});

test('no push writes over an entry or a version by --tag', async () => {
  for (const tag of ['canary.channel-1', '1.0.1']) {
    const before = await digestOf(tag);
    const { exitCode, stderr } = await cli.run(['push', 'hello:1.0.2', '--registry', proxy.host, '--tag', tag]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(`error: --tag ${tag}: this is how `)]);
    expect(await digestOf(tag)).toBe(before);
  }
});

test('a tag that could not follow is moved by the next command, which the failure names', async () => {
  proxy.fault({ method: 'PUT', path: /manifests\/production$/, action: { answer: { status: 507 } } });
  const failed = await channel(['promote', 'production']);
  expect([failed.exitCode, plain(failed.stderr).split('\n')[0]]).toEqual([
    3,
    expect.stringMatching(
      /^error: the channel production of REGISTRY\/hello points at 1\.0\.1 \(entry 4\), but its tag production could not be moved there: /,
    ),
  ]);
  expect(failed.stderr).toContain('try: gbuild channel set production 1.0.1   # moves the tag alone\n');
  proxy.reset();
  expect(await recordOf<ShownChannel>(['show', 'production'])).toMatchObject({ version: '1.0.1', isTagRight: false });
  expect(await recordOf(['set', 'production', '1.0.1'])).toMatchObject({ changed: false, sequence: 4 });
  expect(await recordOf<ShownChannel>(['show', 'production'])).toMatchObject({ version: '1.0.1', isTagRight: true });
});

test('entries are signed with the key of releases, and one that is not is refused', async () => {
  const cwd = repositoryOf('signed');
  await seedReleases(cli.dataDir, registry.host, 'signed');
  const env = { COSIGN_PASSWORD: 'pass', GBUILD_SIGNING_KEY: join(cli.dir, 'cosign.key') };
  for (const name of ['cosign', 'other'])
    expect(
      (await cli.run(['key', 'generate', join(cli.dir, name)], { env: { COSIGN_PASSWORD: 'pass' } })).exitCode,
    ).toBe(0);
  const key = ['--key', join(cli.dir, 'cosign.pub')];
  await recordOf(['set', 'canary', '1.0.0'], { cwd, env });
  await recordOf(['set', 'canary', '1.0.1'], { cwd, env });
  const { entries } = await recordOf<{ entries: ChannelHistoryEntry[] }>(['history', 'canary', ...key], { cwd });
  expect(entries.map(({ sequence, signed }) => [sequence, signed])).toEqual([
    [2, true],
    [1, true],
  ]);
  expect(await recordOf<ShownChannel>(['show', 'canary', ...key], { cwd })).toMatchObject({ signed: true });
  const foreign = await channel(['show', 'canary', '--key', join(cli.dir, 'other.pub')], { cwd });
  expect([foreign.exitCode, plain(foreign.stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: entry 2 of the channel canary of REGISTRY/signed (canary.channel-2) is not signed with this key: the image ID was not signed with this key
      try: gbuild channel history canary
    ",
    ]
  `);
  await recordOf(['set', 'canary', '1.0.2'], { cwd });
  for (const command of ['show', 'history']) {
    const { exitCode, stderr } = await channel([command, 'canary', ...key], { cwd });
    expect([exitCode, plain(stderr).split('\n')[0]]).toEqual([
      2,
      'error: entry 3 of the channel canary of REGISTRY/signed (canary.channel-3) is not signed with this key: there is no signature',
    ]);
  }
});

test('a history that somebody rewrote is refused, told as far as it can be trusted, and goes on by force', async () => {
  const cwd = repositoryOf('forged');
  await seedReleases(cli.dataDir, registry.host, 'forged');
  for (const version of ['1.0.0', '1.0.1', '1.0.2']) await recordOf(['set', 'canary', version], { cwd });
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const address = (tag: string) => `http://${registry.host}/v2/forged/manifests/${tag}`;
  const second = await (await fetch(address('canary.channel-2'), { headers: { accept: type } })).text();
  const forged = second.replace(/\\"by\\":\\"[^"]*\\"/, '\\"by\\":\\"Mallory\\"');
  expect(forged).not.toBe(second);
  await fetch(address('canary.channel-2'), { method: 'PUT', body: forged, headers: { 'content-type': type } });
  for (const words of [['show'], ['set', '1.0.0'], ['rollback']]) {
    const [command = '', ...rest] = words;
    const { exitCode, stderr } = await channel([command, 'canary', ...rest], { cwd });
    expect([exitCode, plain(stderr)]).toEqual([
      2,
      `error: the channel canary of REGISTRY/forged cannot be trusted: entry 3 (canary.channel-3) does not follow the entry before it
  try: gbuild channel history canary   # what can be trusted
  try: gbuild channel set canary VERSION --force --reason TEXT   # goes on from here
`,
    ]);
  }
  const history = await channel(['history', 'canary'], { cwd });
  expect([history.exitCode, history.stdout.trimEnd().split('\n').length]).toEqual([2, 3]);
  await recordOf(['set', 'canary', '1.0.0', '--force', '--reason', 'Mallory was here'], { cwd });
  expect(await recordOf<ShownChannel>(['show', 'canary'], { cwd })).toMatchObject({ version: '1.0.0', sequence: 4 });
  expect((await channel(['history', 'canary'], { cwd })).exitCode).toBe(2);
});

test('without a registry the channels are in the store of this machine, and prune keeps what they need', async () => {
  const env = { GBUILD_REGISTRY: undefined };
  for (const version of ['1.0.0', '1.0.1', '1.0.0']) await recordOf(['set', 'canary', version], { env });
  expect(await recordOf<ShownChannel>(['show', 'canary'], { env })).toMatchObject({
    where: 'hello in the store of this machine',
    version: '1.0.0',
    before: '1.0.1',
  });
  const prune = ['releases', 'prune', 'hello', '--keep', '1', '--keep-days', '0', '--force'];
  const { exitCode, stdout } = await cli.run(prune);
  expect([exitCode, stdout.split('\n').filter((line) => line.startsWith('kept'))]).toEqual([
    0,
    ['kept hello:1.0.1: the channel canary needs it', 'kept hello:1.0.0: the channel canary needs it'],
  ]);
  expect(await recordOf(['rollback', 'canary'], { env })).toMatchObject({ version: '1.0.1' });
  const doctor = await cli.run(['doctor', 'store']);
  expect([doctor.exitCode, doctor.stdout]).toEqual([0, expect.stringContaining('all intact')]);
});

test('a store that lost its index finds its channels again', async () => {
  const env = { GBUILD_REGISTRY: undefined };
  const before = await recordOf<{ entries: ChannelHistoryEntry[] }>(['history', 'canary'], { env });
  for (const file of ['index.json', 'index.copy']) writeFileSync(join(cli.dataDir, 'store', file), 'damaged');
  expect((await cli.run(['doctor', 'store', '--fix'])).stdout).toContain('names were found again');
  expect(await recordOf(['history', 'canary'], { env })).toEqual(before);
});
