import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ListedRelease } from '../../../src/actions/release/list/list-releases.ts';
import type { PruneReport } from '../../../src/actions/release/list/prune-releases.ts';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { type CallOptions, type CliResult, commitAll, openCli } from '../../support/cli/cli.ts';
import { importImage, removeRepository } from '../../support/engines/engine-images.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { ageStore, verifyStore } from '../../support/store/store-images.ts';

const engine = inject('engineHost');
const name = `e2e-releases-${process.pid}`;
const base = `${name}-base:1`;
const cli = openCli({ engine, toolchain: base });
let registry: TestRegistry;
let rootDir: string;

beforeAll(async () => {
  await importImage(engine, base, { here: 'a base' });
  registry = await startRegistry();
  rootDir = repositoryOf(name);
  expect((await cli.run(['lock'], { cwd: rootDir })).exitCode).toBe(0);
});
afterAll(async () => {
  for (const repository of [name, `${name}-base`, `${name}-old`, `${name}-busy`])
    await removeRepository(engine, repository);
  await registry[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

function repositoryOf(folder: string): string {
  const body = 'image: {entrypoint: [/app/src/run.sh], layers: [{name: application, from: [src]}]}\n';
  return cli.tasks(folder, body, { 'src/run.sh': '#!/bin/sh\n' });
}

/** Releases the repository with a text of its own. */
async function release(version: string, flags: string[] = [], cwd = rootDir): Promise<ImageRecord> {
  writeFileSync(join(cwd, 'src/text'), version);
  commitAll(cwd, version);
  return recordOf(await cli.run(['image', '--release', version, '--json', ...flags], { cwd }));
}

function recordOf<T>({ exitCode, stdout, stderr }: CliResult): T {
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as T;
}

async function list(args: string[], options: CallOptions = {}): Promise<ListedRelease[]> {
  const result = await cli.run(['releases', '--json', ...args], { cwd: rootDir, ...options });
  return recordOf<{ releases: ListedRelease[] }>(result).releases;
}

const plain = (text: string) =>
  cli
    .plain(text)
    .replaceAll(name, 'NAME')
    .replaceAll(registry.host, 'REGISTRY')
    .replaceAll(/\b[0-9a-f]{12,64}\b/g, 'ID')
    .replaceAll(/ +/g, ' ');

/** Puts what a tag of the registry names under another tag, past gbuild. */
async function copyTag(from: string, to: string): Promise<void> {
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const address = (tag: string) => `http://${registry.host}/v2/${name}/manifests/${tag}`;
  const body = Buffer.from(await (await fetch(address(from), { headers: { accept: type } })).arrayBuffer());
  const { status } = await fetch(address(to), { method: 'PUT', body, headers: { 'content-type': type } });
  expect(status).toBe(201);
}

describe('the list', () => {
  test('has the releases of store and registry, the newest version first, and no flag, signature or moving tag', async () => {
    const first = await release('1.9.0');
    const second = await release('1.10.0', ['--push', '--registry', registry.host, '--tag', 'latest']);
    for (const tag of ['1.10.0.claim-of-somebody', `sha256-${'0'.repeat(64)}.sig`, 'edge'])
      await copyTag('1.10.0', tag);
    const releases = await list(['--registry', registry.host]);
    expect(releases.map(({ version, imageId, commit, where }) => [version, imageId, commit, where])).toEqual([
      ['1.10.0', second.imageId, second.commit, ['store', registry.host]],
      ['1.9.0', first.imageId, first.commit, ['store']],
    ]);
    expect(releases[0]).toMatchObject({
      created: '2024-05-06T07:08:09Z',
      base: { name: base, digest: second.base.manifestDigest, isTodays: true },
    });
    const { stdout } = await cli.run(['releases', '--registry', registry.host], { cwd: rootDir });
    expect(plain(stdout).replaceAll(/\b[0-9a-f]{7}\b|\d+ days/g, '…')).toMatchInlineSnapshot(`
      "NAME VERSION IMAGE COMMIT BASE AGE WHERE
      NAME 1.10.0 ID … NAME-base:1 (today's) … store, REGISTRY
      NAME 1.9.0 ID … NAME-base:1 (today's) … store
      "
    `);
  });

  test('has what only the registry has, of a name that is given, without a repository, an engine or a store', async () => {
    const other = openCli();
    const env = { DOCKER_HOST: 'unix:///nowhere.sock', GBUILD_REGISTRY: registry.host };
    const result = await other.run(['releases', name, '--json'], { cwd: other.dir, env });
    other[Symbol.dispose]();
    const { releases } = recordOf<{ releases: ListedRelease[] }>(result);
    expect(releases).toEqual([expect.objectContaining({ version: '1.10.0', where: [registry.host] })]);
    expect(releases[0]?.base).not.toHaveProperty('isTodays');
  });

  test('shows a version that another image has in the registry as what must never be', async () => {
    await copyTag('1.10.0', '1.9.0');
    const { exitCode, stdout, stderr } = await cli.run(['releases', '--registry', registry.host], { cwd: rootDir });
    expect([exitCode, plain(stderr)]).toMatchInlineSnapshot(`
      [
        0,
        "warning: NAME:1.9.0 is not the same image everywhere: somebody moved it, and a release never moves
      ",
      ]
    `);
    expect(stdout.match(/\(another image!\)/g)).toHaveLength(2);
    const lines = (await list(['--registry', registry.host])).filter(({ version }) => version === '1.9.0');
    expect(lines.map(({ where, conflicts }) => [where, conflicts])).toEqual([
      [['store'], true],
      [[registry.host], true],
    ]);
  });

  test('is of the store alone where the registry that nobody named is away; one that was named is an error', async () => {
    const quiet = await cli.run(['releases'], { cwd: rootDir, env: { GBUILD_REGISTRY: '127.0.0.1:1' } });
    expect([quiet.exitCode, quiet.stderr]).toEqual([0, expect.stringContaining('only the releases of this machine')]);
    expect((await cli.run(['releases', '--registry', '127.0.0.1:1'], { cwd: rootDir })).exitCode).toBe(3);
  });

  test('says which bases are not the ones of today', async () => {
    await importImage(engine, base, { here: 'another base' });
    expect((await list([])).map(({ base: on }) => on?.isTodays)).toEqual([true, true]);
    // gbuild.lock decides here; another repository's releases go by the engine.
    const elsewhere = await list([name], {
      cwd: cli.repository('elsewhere', { 'gbuild.yml': `gbuild: 1\nname: elsewhere\ntoolchain: ${base}\n` }),
    });
    expect(elsewhere.map(({ base: on }) => on?.isTodays)).toEqual([false, false]);
  });
});

const names = async () => (await verifyStore(cli.dataDir)).filter((each) => !each.startsWith('gbuild-base:'));
const prune = (...flags: string[]) => cli.run(['releases', 'prune', ...flags], { cwd: rootDir });

describe('prune', () => {
  let dir: string;
  const own = async () =>
    (await names()).filter((each) => each.startsWith(`${name}-old:`)).map((each) => each.split(':')[1]);

  beforeAll(async () => {
    dir = repositoryOf(`${name}-old`);
    expect((await cli.run(['lock'], { cwd: dir })).exitCode).toBe(0);
    await release('1.0.0', ['--tag', 'stable'], dir);
    for (const version of ['1.0.1', '1.0.2', '1.0.3', '2.0.0-rc.1', '2.0.0-rc.2']) await release(version, [], dir);
  });

  test('removes nothing that is young, whatever the number', async () => {
    const report = recordOf<PruneReport>(await prune('--keep', '1', '--force', '--json'));
    expect(report).toEqual({ releases: [], held: [], blobs: 0, bytes: 0, isDone: true });
    expect(await own()).toHaveLength(7);
  });

  test('says what would go and leaves it, and where nobody can be asked wants to be told', async () => {
    ageStore(cli.dataDir, 31);
    const { exitCode, stdout } = await prune(`${name}-old`, '--keep', '2', '--dry-run');
    expect([exitCode, plain(stdout).replace(/free .*/, 'free SIZE')]).toMatchInlineSnapshot(`
      [
        0,
        "would remove NAME-old:1.0.2
      would remove NAME-old:1.0.1
      would free SIZE
      ",
      ]
    `);
    const refused = await prune(`${name}-old`, '--keep', '2');
    expect([refused.exitCode, plain(refused.stderr).replace(/\(.*?\)/, '(SIZE)')]).toMatchInlineSnapshot(`
      [
        2,
        "error: 2 releases (SIZE) would be removed; pass --force to confirm
       try: gbuild releases prune --force
       try: gbuild releases prune --dry-run
      ",
      ]
    `);
    expect(await own()).toHaveLength(7);
  });

  test('asks a person at a terminal, who may say no', async () => {
    const env = { TERM: 'xterm' };
    const args = ['releases', 'prune', `${name}-old`, '--keep', '2'];
    const running = cli.start(args, { cwd: rootDir, terminal: true, input: 'open', env });
    await running.until('Remove 2 releases');
    running.type('\r');
    expect((await running.ended).exitCode, running.output()).toBe(0);
    expect(running.output()).toContain('would remove');
    expect(await own()).toHaveLength(7);
  });

  test('keeps the newest, the newest that is no pre-release and what a tag needs, every byte of them', async () => {
    const report = recordOf<PruneReport>(await prune(`${name}-old`, '--keep', '2', '--force', '--json'));
    expect(report.releases).toEqual([`${name}-old:1.0.2`, `${name}-old:1.0.1`]);
    expect([report.blobs, report.bytes > 0]).toEqual([6, true]);
    expect(await own()).toEqual(['1.0.0', '1.0.3', '2.0.0-rc.1', '2.0.0-rc.2', 'stable']);
    expect(await names()).toEqual(expect.arrayContaining([`${name}:1.9.0`, `${name}:1.10.0`]));
  });

  test('takes a base that no release stands on any more, and what bore a tag before', async () => {
    await importImage(engine, base, { here: 'a third base' });
    rmSync(join(dir, 'gbuild.lock'));
    expect((await cli.run(['lock'], { cwd: dir })).exitCode).toBe(0);
    await release('3.0.0', ['--tag', 'stable'], dir);
    await release('3.0.1', [], dir);
    ageStore(cli.dataDir, 31);
    const bases = async () => (await verifyStore(cli.dataDir)).filter((each) => each.startsWith('gbuild-base:')).length;
    expect(await bases()).toBe(3);
    expect((await prune('--keep', '1', '--force')).exitCode).toBe(0);
    expect([await bases(), await own()]).toEqual([2, ['3.0.0', '3.0.1', 'stable']]);
  });

  test('beside releases that are under way leaves every release whole', async () => {
    const busy = repositoryOf(`${name}-busy`);
    expect((await cli.run(['lock'], { cwd: busy })).exitCode).toBe(0);
    for (let round = 0; round < 4; round += 1) {
      ageStore(cli.dataDir, 31);
      writeFileSync(join(busy, 'src/text'), `${round}`);
      commitAll(busy, `${round}`);
      const args = ['image', '--release', `1.0.${round}`];
      const [released, ...pruned] = await Promise.all([
        cli.run(args, { cwd: busy }),
        ...Array.from({ length: 4 }, () => prune('--keep', '1', '--keep-days', '0', '--force')),
      ]);
      expect(pruned.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(
        pruned.map(() => [0, expect.anything()]),
      );
      expect(released.exitCode, released.stderr).toBe(0);
      expect(await names()).toContain(`${name}-busy:1.0.${round}`);
    }
  });
});
