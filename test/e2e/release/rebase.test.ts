import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { BaseState } from '../../../src/actions/release/list/list-outdated.ts';
import type { PushRecord } from '../../../src/actions/release/push/push.ts';
import type { RebaseRecord } from '../../../src/actions/release/rebase/rebase.ts';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import type { Index, Manifest } from '../../../src/oci/spec.ts';
import { type CallOptions, type CliResult, commitAll, openCli } from '../../support/cli/cli.ts';
import {
  commitImage,
  importImage,
  inspectImage,
  removeRepository,
  removeTag,
  runImage,
} from '../../support/engines/engine-images.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';
import { verifyStore } from '../../support/store/store-images.ts';

const engine = inject('engineHost');
const name = `e2e-rebase-${process.pid}`;
const base = `${name}-base:1`;
const cli = openCli({ engine, toolchain: base });
let registry: TestRegistry;
let rootDir: string;
let first: ImageRecord;

const status = (packages: Record<string, string>) =>
  Object.entries(packages)
    .map(([each, version]) => `Package: ${each}\nStatus: install ok installed\nVersion: ${version}\n`)
    .join('\n');
const importBase = (reference: string, here: string, openssl: string) =>
  importImage(engine, reference, { here, 'var/lib/dpkg/status': status({ openssl, zlib1g: '1.2.13' }) });

beforeAll(async () => {
  await importBase(base, 'old', '3.0.15-1');
  registry = await startRegistry();
  rootDir = await repositoryOf(name, base);
  first = recordOf(await cli.run(['image', '--release', '1.0.0', '--json'], { cwd: rootDir }));
  await importBase(base, 'fixed', '3.0.16-1');
});
afterAll(async () => {
  for (const repository of ['', '-base', '-locked', '-run', '-runbase'])
    await removeRepository(engine, `${name}${repository}`);
  await registry[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

/** A repository whose image stands on a named base, its toolchain locked. */
async function repositoryOf(folder: string, on: string): Promise<string> {
  const image = `image:\n  base: ${on}\n  entrypoint: [/app/src/run.sh]\n  env: {PORT: "8080"}\n  layers: [{name: application, from: [src]}]\n`;
  const dir = cli.tasks(folder, image, { 'src/run.sh': '#!/bin/sh\ncat /here\n' });
  expect((await cli.run(['lock'], { cwd: dir })).exitCode).toBe(0);
  commitAll(dir, 'locked');
  return dir;
}

function recordOf<T>({ exitCode, stdout, stderr }: CliResult): T {
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as T;
}

interface BuildDefinition {
  externalParameters: object;
  resolvedDependencies: { name: string; digest: object; annotations: object }[];
}

/** What the provenance beside an image says. */
async function readBuildDefinition(digest: string, { host }: TestRegistry = registry): Promise<BuildDefinition> {
  const types = ['manifest', 'index'].map((kind) => `application/vnd.oci.image.${kind}.v1+json`);
  const read = async (path: string): Promise<unknown> =>
    (await fetch(`http://${host}/v2/${name}/${path}`, { headers: { accept: types.join(', ') } })).json();
  const { manifests } = (await read(`manifests/${digest.replace(':', '-')}`)) as Index;
  const document = manifests.find(({ artifactType }) => artifactType === 'application/vnd.in-toto+json');
  const { layers } = (await read(`manifests/${document?.digest}`)) as Manifest;
  const statement = (await read(`blobs/${layers[0]?.digest}`)) as { predicate: { buildDefinition: BuildDefinition } };
  return statement.predicate.buildDefinition;
}

const rebase = (args: string[], options: CallOptions = {}) =>
  cli.run(['rebase', ...args], { cwd: rootDir, ...options });

const plain = (text: string) =>
  cli
    .plain(text)
    .replaceAll(name, 'NAME')
    .replaceAll(registry.host, 'REGISTRY')
    .replaceAll(/\b[0-9a-f]{12,64}\b/g, 'ID');
const failure = ({ exitCode, stderr }: CliResult) =>
  `exit ${exitCode}\n${plain(stderr.slice(stderr.indexOf('error:')))}`;

describe('outdated', () => {
  test('names the packages that differ, the command to type, and exits with 1', async () => {
    const { exitCode, stdout } = await cli.run(['outdated'], { cwd: rootDir });
    expect([exitCode, plain(stdout)]).toMatchInlineSnapshot(`
      [
        1,
        "NAME:1.0.0 is on NAME-base:1; the current one has: openssl 3.0.15-1 -> 3.0.16-1
        try: gbuild rebase NAME:1.0.0 --release 1.0.1
      ",
      ]
    `);
    const json = await cli.run(['outdated', name, '--json'], { cwd: cli.dir });
    expect((JSON.parse(json.stdout) as { releases: BaseState[] }).releases).toEqual([
      {
        reference: `${name}:1.0.0`,
        base,
        state: 'outdated',
        today: base,
        changes: ['openssl 3.0.15-1 -> 3.0.16-1'],
      },
    ]);
  });
});

describe('rebase', () => {
  test('puts the same layers on the base of today, says what changed in it, and where the release came from', async () => {
    const record = recordOf<RebaseRecord>(await rebase(['1.0.0', '--release', '1.0.1', '--json']));
    expect(record).toMatchObject({
      reference: `${name}:1.0.1`,
      alreadyReleased: false,
      rebasedFrom: `${name}:1.0.0@${first.imageId}`,
      layers: first.layers,
      changes: ['openssl 3.0.15-1 -> 3.0.16-1'],
    });
    const [old, now, fixed] = await Promise.all(
      [`${name}:1.0.0`, `${name}:1.0.1`, base].map((each) => inspectImage(engine, each)),
    );
    expect(now?.RootFS.Layers).toEqual([...fixed!.RootFS.Layers, ...old!.RootFS.Layers.slice(1)]);
    expect([now?.Id, now?.Created]).toEqual([record.imageId, old?.Created]);
    const { Labels: labels, ...config } = now!.Config;
    const { Labels: before, ...oldConfig } = old!.Config;
    expect(config).toEqual(oldConfig);
    expect(labels).toEqual({
      ...before,
      'org.opencontainers.image.version': '1.0.1',
      'org.opencontainers.image.base.digest': record.base.manifestDigest,
      'io.gbuild.rebased-from': record.rebasedFrom,
    });
    expect(await verifyStore(cli.dataDir)).toEqual(expect.arrayContaining([`${name}:1.0.0`, `${name}:1.0.1`]));
  });

  test('of the same release on the same base is the same image, here and from another store', async () => {
    const again = await rebase([`${name}:1.0.0`, '--release', '1.0.1'], { cwd: cli.dir });
    expect([again.exitCode, plain(again.stdout)]).toMatchInlineSnapshot(`
      [
        0,
        "NAME:1.0.1 already released: NAME:1.0.0 on NAME-base:1 (ID)
        openssl 3.0.15-1 -> 3.0.16-1
      ",
      ]
    `);
    expect((await cli.run(['outdated'], { cwd: rootDir })).exitCode).toBe(0);
  });

  test('takes from a registry what the store has not, and pushes there', async () => {
    const pushed = await cli.run(['push', '1.0.0', '--registry', registry.host], { cwd: rootDir });
    expect(pushed.exitCode, pushed.stderr).toBe(0);
    const { Id: id } = (await inspectImage(engine, `${name}:1.0.1`))!;
    await removeTag(engine, `${name}:1.0.1`);
    const other = openCli({ engine });
    const args = ['rebase', `${name}:1.0.0`, '--release', '1.0.1', '--registry', registry.host, '--push', '--json'];
    const outdated = await other.run(['outdated', name, '--registry', registry.host, '--json'], { cwd: other.dir });
    expect(outdated.exitCode, outdated.stdout).toBe(1);
    expect((JSON.parse(outdated.stdout) as { releases: BaseState[] }).releases).toEqual([
      expect.objectContaining({ state: 'outdated', changes: ['openssl 3.0.15-1 -> 3.0.16-1'] }),
    ]);
    const result = await other.run(args, { cwd: other.dir });
    other[Symbol.dispose]();
    const record = recordOf<RebaseRecord>(result);
    // The old base is not there, and all comes out the same.
    expect([record.imageId, record.changes, record.pushed?.reference]).toEqual([
      id,
      ['openssl 3.0.15-1 -> 3.0.16-1'],
      `${registry.host}/${name}:1.0.1`,
    ]);
  });

  test('is there with provenance that names the release it was and what that was made of', async () => {
    const again = await cli.run(['push', '1.0.1', '--registry', registry.host, '--json'], { cwd: rootDir });
    const { attached, alreadyReleased, digest } = recordOf<PushRecord>(again);
    expect([attached, alreadyReleased]).toEqual([[], true]);
    const { externalParameters, resolvedDependencies } = await readBuildDefinition(digest);
    expect(externalParameters).toMatchObject({ version: '1.0.1', tasks: [] });
    expect(resolvedDependencies.map((each) => each.name)).toEqual([
      'source',
      'gbuild.lock',
      'base image',
      'rebased release',
    ]);
    const { stdout: gitCommit } = await execa('git', ['rev-parse', 'HEAD'], { cwd: rootDir });
    expect(resolvedDependencies[0]?.digest).toEqual({ gitCommit });
    expect(resolvedDependencies.at(-1)?.annotations).toEqual({ reference: `${name}:1.0.0`, digestOf: 'config' });
  });

  test('is pushed from where it was made with provenance that names the image to build in, too', async () => {
    const elsewhere = await startRegistry();
    try {
      const pushed = await cli.run(['push', '1.0.1', '--registry', elsewhere.host, '--json'], { cwd: rootDir });
      const { digest } = recordOf<PushRecord>(pushed);
      const { resolvedDependencies } = await readBuildDefinition(digest, elsewhere);
      expect(resolvedDependencies.map((each) => each.name)).toContain('build image');
    } finally {
      await elsewhere[Symbol.asyncDispose]();
    }
  });

  test('is refused where the version is taken, saying what differs', async () => {
    const { exitCode } = await rebase(['1.0.1', '--release', '1.0.0', '--base', `${name}-base:1`]);
    expect(exitCode).toBe(2);
    await importBase(base, 'fixed again', '3.0.17-1');
    expect(failure(await rebase(['1.0.0', '--release', '1.0.1']))).toMatchInlineSnapshot(`
      "exit 2
      error: NAME:1.0.1 is released already as ID (in the release store), and this would be ID:
        base: NAME-base:1 (ID), now NAME-base:1 (ID)
        try: release the change under a new version
        try: git log   # which commit was NAME:1.0.1?
      "
    `);
    expect((await inspectImage(engine, `${name}:1.0.1`))?.Config.Labels?.['io.gbuild.rebased-from']).toContain('1.0.0');
  });

  test('tells in one sentence what it cannot do, and what to type', async () => {
    const errors = [
      await rebase(['9.9.9', '--release', '10.0.0']),
      await rebase(['1.0.0', '--release', '1.0']),
      await rebase([`localhost:1/${name}:1.0.0`, '--release', '1.0.2']),
      await rebase(['1.0.0', '--release', '1.0.2', '--base', `${name}-base:none`]),
      await rebase(['1.0.0', '--release', '1.0.2', '--push']),
    ];
    expect(errors.map(failure).join('\n')).toMatchInlineSnapshot(`
      "exit 2
      error: there is no release NAME:9.9.9 in <dir>/data/gbuild/store
        try: gbuild releases --all
        try: gbuild rebase NAME:9.9.9 --release 1.0.2 --registry registry.example.com

      exit 2
      error: --release 1.0: a release needs an exact version such as 1.0.1 or 2.0.0-rc.1
        try: gbuild image --release 1.0.1

      exit 2
      error: localhost:1/NAME:1.0.0: a release is named NAME:VERSION, without a registry
        try: gbuild rebase hello:1.0.1 --release 1.0.2 --registry registry.example.com

      exit 3
      error: the base image NAME-base:none is not on unix:///run/gbuild-test/docker.sock
        try: gbuild lock
        try: docker pull NAME-base:none

      exit 2
      error: nothing says which registry to push to
        try: write "registry: registry.example.com" in gbuild.yml
        try: or add --registry registry.example.com
      "
    `);
  });

  test('onto the base that it stands on is refused', async () => {
    await rebase(['1.0.0', '--release', '1.0.3']);
    expect(failure(await rebase(['1.0.3', '--release', '1.0.4']))).toMatchInlineSnapshot(`
      "exit 2
      error: NAME:1.0.3 is on the current NAME-base:1 already: there is nothing to change
        try: gbuild lock --update   # takes the packages of today
        try: or name another one: --base REFERENCE
      "
    `);
  });

  test('is refused on a base on which it could not start', async () => {
    await importImage(engine, `${name}-base:bare`, { 'bin/sh': '', 'var/lib/dpkg/status': status({}) });
    const refused = await rebase(['1.0.0', '--release', '1.0.9', '--base', `${name}-base:bare`]);
    expect(failure(refused)).toMatchInlineSnapshot(`
      "exit 2
      error: NAME:1.0.9 on NAME-base:bare could not start:
        the first line of /app/src/run.sh names /bin/sh, which is not executable
        try: --base REFERENCE   # one that has what NAME-base:bare lacks
      "
    `);
    expect(await inspectImage(engine, `${name}:1.0.9`)).toBeUndefined();
  });

  test('goes by gbuild.lock where the base is the one of the toolchain', async () => {
    const locked = `${name}-locked`;
    const body = 'image: {entrypoint: [/app/src/run.sh], layers: [{name: application, from: [src]}]}\n';
    const dir = cli.tasks(locked, body, { 'src/run.sh': '#!/bin/sh\n' });
    const lock = async () => {
      rmSync(join(dir, 'gbuild.lock'), { force: true });
      expect((await cli.run(['lock'], { cwd: dir })).exitCode).toBe(0);
    };
    await lock();
    commitAll(dir, 'locked');
    recordOf(await cli.run(['image', '--release', '1.0.0', '--json'], { cwd: dir }));
    await importBase(base, 'moved on', '3.0.18-1');
    const outdated = async () => (await cli.run(['outdated'], { cwd: dir })).exitCode;
    const again = () => cli.run(['rebase', '1.0.0', '--release', '1.0.1'], { cwd: dir });
    expect([await outdated(), failure(await again())]).toMatchInlineSnapshot(`
      [
        0,
        "exit 2
      error: gbuild.lock names the runtime image sha256:ID, but unix:///run/gbuild-test/docker.sock has sha256:ID
        try: gbuild lock --update
        try: or say which one: --base NAME-base:1
      ",
      ]
    `);
    await lock();
    expect([await outdated(), (await again()).exitCode, await outdated()]).toEqual([1, 0, 0]);
  });

  test('starts as before, and finds the files of the new base', async () => {
    const on = `${name}-runbase:1`;
    const from = inject('baseImage');
    const upgrade = "sed -i '/^Package: bash$/,/^$/s/^Version: .*/Version: 99.1/' /var/lib/dpkg/status";
    await commitImage(engine, from, on, 'echo old >/here');
    const dir = await repositoryOf(`${name}-run`, on);
    recordOf(await cli.run(['image', '--release', '1.0.0', '--json'], { cwd: dir }));
    await commitImage(engine, from, on, `echo new >/here; ${upgrade}`);
    const record = recordOf<RebaseRecord>(await rebase(['1.0.0', '--release', '1.0.1', '--json'], { cwd: dir }));
    expect(record.changes).toEqual([expect.stringMatching(/^bash \S+ -> 99\.1$/)]);
    expect([await runImage(engine, `${name}-run:1.0.0`), await runImage(engine, `${name}-run:1.0.1`)]).toEqual([
      'old\n',
      'new\n',
    ]);
    rmSync(join(cli.dataDir, 'store'), { recursive: true });
  });
});
