import { randomBytes } from 'node:crypto';
import { cpSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { ownerText, readOwner } from '../../../src/fs/process-owner.ts';
import { type CliResult, commitAll, git, openCli } from '../../support/cli/cli.ts';
import {
  importImage,
  inspectImage,
  listTags,
  removeRepository,
  removeTag,
  tagImage,
} from '../../support/engines/engine-images.ts';
import { startLyingEngine } from '../../support/engines/lying-engine.ts';

// What is packed is there already and nothing is run: a base of one file will do.
const engine = inject('engineHost');
const name = `e2e-publish-${process.pid}`;
const baseName = `${name}-base`;
const base = `${baseName}:1`;
const otherBase = `${baseName}:2`;
const cli = openCli({ engine, toolchain: base });
let rootDir: string;

beforeAll(async () => {
  await importImage(engine, base, { here: 'a base' });
  await importImage(engine, otherBase, { here: 'another base' });
  rootDir = cli.tasks(
    name,
    `image:\n  base: ${baseName}:moving\n  entrypoint: [/app/src/run.sh]\n  layers: [{name: application, from: [src]}]\n`,
    { 'src/run.sh': '#!/bin/sh\n' },
  );
  await tagImage(engine, base, `${baseName}:moving`);
  // Large assets beside code.
  writeFileSync(join(rootDir, 'src/one.bin'), randomBytes(10_000_000));
  writeFileSync(join(rootDir, 'src/two.bin'), randomBytes(10_000_000));
  expect((await cli.run(['lock'], { cwd: rootDir })).exitCode).toBe(0);
  commitAll(rootDir, 'second');
});
afterAll(async () => {
  for (const repository of [name, `${name}-large`]) await removeRepository(engine, repository);
  await removeRepository(engine, baseName);
  cli[Symbol.dispose]();
});

/** A copy of the repository beside it, named after its folder. */
function cpRepository(folder: string): string {
  const copy = join(cli.dir, folder);
  cpSync(rootDir, copy, { recursive: true });
  const specFile = join(copy, 'gbuild.yml');
  writeFileSync(specFile, readFileSync(specFile, 'utf8').replace(/^name: .*$/m, `name: ${folder}`));
  return copy;
}

const image = (...flags: string[]) => cli.run(['image', '--json', ...flags], { cwd: rootDir });

function recordOf({ exitCode, stdout, stderr }: CliResult): ImageRecord {
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return JSON.parse(stdout) as ImageRecord;
}

function errorOf({ exitCode, stdout }: CliResult): string {
  const { error } = JSON.parse(stdout) as { error: { message: string } };
  return `exit ${exitCode}: ${error.message}`
    .replaceAll(name, 'NAME')
    .replaceAll(/\b[0-9a-f]{12,64}\b/g, 'ID')
    .replaceAll(engine, 'ENGINE');
}

describe('a development image', () => {
  test('bears what git says of the commit, and never looks like a version', async () => {
    git(rootDir, 'tag', '1.2.3');
    const short = git(rootDir, 'rev-parse', '--short', 'HEAD');
    expect(recordOf(await image()).reference).toBe(`${name}:dev-1.2.3`);
    writeFileSync(join(rootDir, 'src/run.sh'), '#!/bin/sh\ntrue\n');
    expect(recordOf(await image())).toMatchObject({ reference: `${name}:dev-1.2.3-dirty`, dirty: true });
    git(rootDir, 'checkout', '-q', '.');
    git(rootDir, 'tag', '-d', '1.2.3');
    expect(recordOf(await image()).reference).toBe(`${name}:dev-${short}`);
    const tags = ['1.2.3', '1.2.3-dirty', short].map((version) => `${name}:dev-${version}`);
    expect(await listTags(engine, name)).toEqual(tags.sort());
  });

  test('of an uncommitted change sends an engine that change alone, on top of the last image', async () => {
    writeFileSync(join(rootDir, 'src/run.sh'), '#!/bin/sh\necho changed\n');
    const changed = recordOf(await image());
    expect(changed.layers.map((layer) => layer.name)).toEqual(['gbuild layer: application', 'gbuild layer: changes']);
    expect([changed.layersSent, changed.layers[1]!.size < 10_000]).toEqual([1, true]);
    expect(recordOf(await image()).layersSent).toBe(0);
    git(rootDir, 'checkout', '-q', '.');
  });

  test('is right where another run takes away the image that it stands on, or that it is', async () => {
    const change = (text: string) => writeFileSync(join(rootDir, 'src/run.sh'), `#!/bin/sh\necho ${text}\n`);
    let takeAt: RegExp | undefined;
    let last = '';
    await using between = await startLyingEngine(engine, {
      before: async ({ kind }) => {
        if (takeAt?.test(kind) !== true) return;
        takeAt = undefined;
        await removeTag(engine, last);
      },
    });
    const make = async () => {
      const record = recordOf(await cli.run(['image', '--json'], { cwd: rootDir, env: { DOCKER_HOST: between.host } }));
      last = record.reference;
      return record.layers.map((layer) => layer.name);
    };
    const whole = ['gbuild layer: application'];
    change('first');
    expect(await make()).toEqual(whole);
    change('second');
    takeAt = /images\/load/;
    expect(await make()).toEqual(whole);
    change('third');
    expect(await make()).toEqual([...whole, 'gbuild layer: changes']);
    takeAt = /images\/.*tag/;
    expect(await make()).toEqual(whole);
    expect(takeAt).toBeUndefined();
    git(rootDir, 'checkout', '-q', '.');
  });

  test('of a committed change sends an engine the code, not the large assets beside it', async () => {
    const large = cpRepository(`${name}-large`);
    writeFileSync(join(large, 'src/large.bin'), '');
    truncateSync(join(large, 'src/large.bin'), 70_000_000);
    commitAll(large, 'assets');
    const pack = async () => recordOf(await cli.run(['image', '--json'], { cwd: large }));
    expect((await pack()).layersSent).toBe(3);
    writeFileSync(join(large, 'src/run.sh'), '#!/bin/sh\necho changed\n');
    commitAll(large, 'code');
    const { layers, layersSent } = await pack();
    expect(layers.map((layer) => layer.name)).toEqual([
      'gbuild layer: application 1/3',
      'gbuild layer: application 2/3',
      'gbuild layer: application 3/3',
    ]);
    expect([layersSent, layers[2]!.size < 10_000]).toEqual([1, true]);
  });

  test('also gets the tags that are asked for, and those move', async () => {
    const before = recordOf(await image('--tag', 'latest', '--tag', 'edge'));
    writeFileSync(join(rootDir, 'src/run.sh'), '#!/bin/sh\necho moved\n');
    const after = recordOf(await image('--tag', 'latest'));
    git(rootDir, 'checkout', '-q', '.');
    const ids = await Promise.all(['latest', 'edge'].map((tag) => inspectImage(engine, `${name}:${tag}`)));
    expect(ids.map((found) => found?.Id)).toEqual([after.imageId, before.imageId]);
  });
});

describe('a release', () => {
  test('is refused where the engine has its name from someone else, saying what differs', async () => {
    await tagImage(engine, base, `${name}:3.0.0`);
    const refused = await image('--release', '3.0.0');
    expect(errorOf(refused)).toMatchInlineSnapshot(`
      "exit 2: NAME:3.0.0 is released already as ID (on ENGINE, not by this store), and this would be ID:
        gbuild layer: application: was not there
        commit: (none), now ID
        entrypoint: (none), now ["/app/src/run.sh"]
        user: (none), now 65532:65532
        workdir: (none), now /app
        label org.opencontainers.image.title: (none), now NAME
        label org.opencontainers.image.version: (none), now 3.0.0
        label org.opencontainers.image.created: (none), now 2024-05-06T07:08:09Z
        label io.gbuild.toolchain: (none), now NAME-base@1
        label io.gbuild.recipe: (none), now sha256:ID
        label io.gbuild.lock: (none), now sha256:ID"
    `);
    expect((await inspectImage(engine, `${name}:3.0.0`))?.Id).toBe((await inspectImage(engine, base))?.Id);
  });

  test('of the same commit on another base is refused, naming the base', async () => {
    const first = recordOf(await image('--release', '3.0.1'));
    await tagImage(engine, otherBase, `${baseName}:moving`);
    const refused = await image('--release', '3.0.1');
    await tagImage(engine, base, `${baseName}:moving`);
    expect(errorOf(refused)).toMatchInlineSnapshot(`
      "exit 2: NAME:3.0.1 is released already as ID (in the release store), and this would be ID:
        base: NAME-base:moving (ID), now NAME-base:moving (ID)"
    `);
    expect((await inspectImage(engine, `${name}:3.0.1`))?.Id).toBe(first.imageId);
  });

  test('whose name was moved on the engine is not taken for the release', async () => {
    await tagImage(engine, base, `${name}:3.0.1`);
    expect(errorOf(await image('--release', '3.0.1'))).toMatchInlineSnapshot(
      `"exit 2: NAME:3.0.1 on ENGINE is ID, but ID was released under this name: somebody moved it"`,
    );
  });

  test('that the engine has lost is brought back, the same image', async () => {
    const first = recordOf(await image('--release', '3.0.2'));
    for (const repository of [name, `${name}-large`]) await removeRepository(engine, repository);
    expect(await listTags(engine, name)).toEqual([]);
    expect(recordOf(await image('--release', '3.0.2'))).toMatchObject({
      imageId: first.imageId,
      alreadyReleased: true,
    });
    expect((await inspectImage(engine, `${name}:3.0.2`))?.Id).toBe(first.imageId);
  });

  test('at once with another of the same version and other content: exactly one wins', async () => {
    const other = join(cli.dir, 'other');
    cpSync(rootDir, other, { recursive: true });
    writeFileSync(join(other, 'src/run.sh'), '#!/bin/sh\nexit 1\n');
    commitAll(other, 'other content');
    for (const version of ['4.0.0', '4.0.1', '4.0.2', '4.0.3']) {
      const results = await Promise.all(
        [rootDir, other].map((cwd) => cli.run(['image', '--json', '--release', version], { cwd })),
      );
      expect(results.map(({ exitCode }) => exitCode).sort()).toEqual([0, 2]);
      const won = recordOf(results.find(({ exitCode }) => exitCode === 0)!);
      const lost = errorOf(results.find(({ exitCode }) => exitCode === 2)!);
      expect(lost).toContain(`NAME:${version} is released already as`);
      expect((await inspectImage(engine, won.reference))?.Id).toBe(won.imageId);
    }
  });

  test('at once with itself is one release', async () => {
    const results = await Promise.all([1, 2, 3].map(() => image('--release', '4.1.0')));
    expect(new Set(results.map((result) => recordOf(result).imageId)).size).toBe(1);
  });

  test('that was killed is completed by the next run', async () => {
    for (const [version, moment] of [
      ['5.0.0', '> packing'],
      ['5.0.1', '> saving to the release store'],
      ['5.0.2', '> loading'],
    ] as const) {
      const child = cli.start(['image', '--release', version], { cwd: rootDir });
      await child.until(moment);
      child.kill('SIGKILL');
      await child.ended;
      const record = recordOf(await image('--release', version));
      expect((await inspectImage(engine, `${name}:${version}`))?.Id).toBe(record.imageId);
    }
  });

  test('takes away the half-made image of a run that was killed, and none of a living one', async () => {
    const dead = cli.start(['--version']);
    await dead.ended;
    const own = readOwner();
    const [left, kept] = [{ ...own, pid: dead.pid }, own].map((owner) => `gbuild-staging:${ownerText(owner)}.${name}`);
    for (const reference of [left, kept]) await tagImage(engine, base, reference!);
    recordOf(await image('--release', '5.1.0'));
    expect([await inspectImage(engine, left!), (await inspectImage(engine, kept!))?.RepoTags]).toEqual([
      undefined,
      expect.arrayContaining([kept]),
    ]);
    await removeTag(engine, kept!);
  });
});
