import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import type { PushedToolchain } from '../../../src/actions/toolchain/push/push.ts';
import { type Cli, type CliResult, commitAll, git, openCli } from '../../support/cli/cli.ts';
import { importImage, inspectImage, listTags, removeRepository } from '../../support/engines/engine-images.ts';
import { type FaultProxy, startFaultProxy } from '../../support/network/fault-proxy.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';

const engine = inject('engineHost');
const cli = openCli({ engine });
const name = `regtiny${process.pid}`;
const app = `e2e-${name}`;
let registry: TestRegistry;
let proxy: FaultProxy;
let rootDir: string;

/** A toolchain that is another one each time it is made, as those of a mirror that moves on are. */
const files = {
  [`toolchains/${name}/toolchain.yml`]: `toolchain: 1
name: ${name}
title: Tiny
base: bookworm
versions: { linux/amd64: 1.2.3, linux/arm64: 1.2.3 }
tools: { tiny: tiny }
detect:
  any: [{ file: tiny.txt }]
tasks:
  test: { run: 'tiny && cat tiny.txt', because: there is a tiny.txt }
layers:
  - { name: text, from: [tiny.txt], to: /app }
entrypoint:
  - { fact: { file: tiny.txt }, command: [tiny], because: there is a tiny.txt }
`,
  [`toolchains/${name}/Dockerfile`]: `ARG GBUILD_ROOT
ARG GBUILD_RUNTIME
FROM \${GBUILD_ROOT} AS build
RUN printf '#!/bin/sh\\necho 1.2.3.%s\\n' "$(tr -d '[:alpha:]-' < /proc/sys/kernel/random/uuid)" > /usr/local/bin/tiny && \\
    chmod 0755 /usr/local/bin/tiny && mkdir -p /workspace && install -d -m 1777 /cache /home/gbuild
FROM \${GBUILD_RUNTIME} AS runtime
COPY --from=build /usr/local/bin/tiny /usr/local/bin/tiny
`,
  'gbuild.yml': `gbuild: 1\nname: ${app}\ntoolchain: ${name}\ncatalogs: [./toolchains]\ntasks: {build: tiny}\n`,
  'tiny.txt': 'a text\n',
};

beforeAll(async () => {
  registry = await startRegistry();
  proxy = await startFaultProxy(registry.host);
  rootDir = cli.repository('first', files);
});
beforeEach(() => proxy.reset());
afterAll(async () => {
  for (const repository of [`gbuild/${name}`, app]) await removeRepository(engine, repository);
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

function ok({ exitCode, stdout, stderr }: CliResult): { stdout: string; stderr: string } {
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  return { stdout, stderr };
}

const recordOf = <T>(result: CliResult) => JSON.parse(ok(result).stdout) as T;

const readLock = (cwd: string) => readFileSync(join(cwd, 'gbuild.lock'), 'utf8');

const idIn = (lock: string, key: 'build' | 'runtime') => new RegExp(`^ {6}${key}: (\\S+)`, 'm').exec(lock)?.[1];

/** What the engine calls the two images now. */
async function readIds(): Promise<{ build: string | undefined; runtime: string | undefined }> {
  const tags = await listTags(engine, `gbuild/${name}`);
  const idOf = async (tag: string | undefined) =>
    tag === undefined ? undefined : (await inspectImage(engine, tag))?.Id;
  const isRuntime = (tag: string) => tag.endsWith('-runtime');
  return { build: await idOf(tags.find((tag) => !isRuntime(tag))), runtime: await idOf(tags.find(isRuntime)) };
}

const lockedIds = (cwd: string) => ({ build: idIn(readLock(cwd), 'build'), runtime: idIn(readLock(cwd), 'runtime') });

/** As if this were another machine: a clone, a cache and a store of its own, and an engine without the toolchain. */
async function onAnotherMachine(work: (other: Cli, clone: string) => Promise<void>): Promise<void> {
  for (const repository of [`gbuild/${name}`, app]) await removeRepository(engine, repository);
  using other = openCli({ engine, ownCache: true });
  const clone = join(other.dir, 'clone');
  git('/', 'clone', '-q', rootDir, clone);
  await work(other, clone);
}

/** Replaces text of the clone's lock, and commits that. */
function changeLock(cwd: string, change: (lock: string) => string): void {
  writeFileSync(join(cwd, 'gbuild.lock'), change(readLock(cwd)));
  commitAll(cwd, 'another lock');
}

const plain = (text: string) =>
  cli
    .plain(text)
    .replaceAll(proxy.host, 'REGISTRY')
    .replaceAll(registry.host, 'REGISTRY')
    .replaceAll(engine, 'ENGINE')
    .replaceAll(name, 'TINY')
    .replaceAll(/\bid-[0-9a-f]{40}\b/g, 'id-ID')
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'ID')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID12')
    .replaceAll(/\d+(\.\d+)? [kMG]?B\b/g, 'SIZE');

const errorOf = ({ exitCode, stderr }: CliResult) =>
  `exit ${exitCode}\n${plain(stderr.slice(stderr.indexOf('error:')))}`;

/** A manifest's bytes and what they name. */
async function readManifest(tag: string): Promise<{ bytes: string; type: string; layers: string[]; config: string }> {
  const accept = 'application/vnd.oci.image.manifest.v1+json';
  const answer = await fetch(`http://${registry.host}/v2/gbuild/${name}/manifests/${tag}`, { headers: { accept } });
  const bytes = await answer.text();
  expect(answer.status, `${tag}: ${bytes}`).toBe(200);
  const { layers, config } = JSON.parse(bytes);
  return { bytes, type: accept, layers: layers.map(({ digest }: { digest: string }) => digest), config: config.digest };
}

async function putManifest(tag: string, { bytes, type }: Awaited<ReturnType<typeof readManifest>>): Promise<void> {
  const url = `http://${registry.host}/v2/gbuild/${name}/manifests/${tag}`;
  const answer = await fetch(url, { method: 'PUT', body: bytes, headers: { 'content-type': type } });
  expect(answer.status).toBe(201);
}

const idTag = (id: string | undefined) => `id-${id?.slice(7, 47)}`;

describe('a locked toolchain comes from a registry', { timeout: 600_000 }, () => {
  let released: string;

  test('to which it is pushed once, under a name that never moves; the lock says where it is', async () => {
    ok(await cli.run(['lock'], { cwd: rootDir }));
    commitAll(rootDir, 'locked');
    const before = readLock(rootDir);
    const push = ['toolchain', 'push', '--registry', proxy.host];
    const pushed = recordOf<PushedToolchain>(await cli.run([...push, '--json'], { cwd: rootDir }));
    const { build, runtime } = lockedIds(rootDir);
    expect(pushed).toMatchObject({
      registry: proxy.host,
      lockWritten: true,
      images: [
        { id: build, alreadyThere: false },
        { id: runtime, alreadyThere: false },
      ],
    });
    expect(readLock(rootDir)).toBe(before.replace('  platforms:', `  registry: ${proxy.host}\n  platforms:`));
    expect((await readManifest(idTag(build))).config).toBe(build);
    expect((await readManifest(idTag(runtime))).config).toBe(runtime);
    commitAll(rootDir, 'says where it is');
    proxy.reset();
    const again = ok(await cli.run(push, { cwd: rootDir }));
    expect(plain(again.stdout)).toMatchInlineSnapshot(`
      "REGISTRY/gbuild/TINY:id-ID already there (ID12)
      REGISTRY/gbuild/TINY:id-ID already there (ID12)
      "
    `);
    expect(proxy.requests.filter(({ method }) => !['GET', 'HEAD'].includes(method))).toEqual([]);
    released = recordOf<ImageRecord>(
      await cli.run(['image', '--release', '1.0.0', '--json'], { cwd: rootDir }),
    ).imageId;
  });

  test('by its id on another machine, where nothing is built, nothing changes and a release is the same', async () => {
    await onAnotherMachine(async (other, clone) => {
      const tested = ok(await other.run(['test', '--frozen'], { cwd: clone }));
      expect(tested.stdout).toMatch(/^1\.2\.3\.\d+\na text\n$/);
      expect(plain(tested.stderr)).toMatchInlineSnapshot(`
        "> pulling REGISTRY/gbuild/TINY (ID12)
        + pulling REGISTRY/gbuild/TINY (ID12) (<time>)
        > test: tiny && cat tiny.txt
        + test passed (<time>)
        test passed with TINY 1.2.3 in <time>
        "
      `);
      const record = recordOf<ImageRecord>(await other.run(['image', '--release', '1.0.0', '--json'], { cwd: clone }));
      expect(record.imageId).toBe(released);
      expect(await readIds()).toEqual(lockedIds(clone));
      expect(git(clone, 'status', '--porcelain')).toBe('');
      proxy.reset();
      ok(await other.run(['test'], { cwd: clone }));
      expect(proxy.requests).toEqual([]);
    });
  });

  test('also when its tag has moved on there', async () => {
    await onAnotherMachine(async (other, clone) => {
      const { build, runtime } = lockedIds(clone);
      const tag = JSON.parse(ok(await other.run(['plan', '--json'], { cwd: clone })).stdout).toolchain.reference.split(
        ':',
      )[1];
      expect((await readManifest(tag)).config).toBe(build);
      await putManifest(tag, await readManifest(idTag(runtime)));
      ok(await other.run(['test'], { cwd: clone }));
      expect((await readIds()).build).toBe(build);
    });
  });

  test('for a release also where the engine has made others meanwhile', async () => {
    await onAnotherMachine(async (other, clone) => {
      const build = JSON.parse(ok(await other.run(['plan', '--json'], { cwd: clone })).stdout).toolchain.reference;
      for (const reference of [build, `${build}-runtime`]) await importImage(engine, reference, { made: 'here' });
      const record = recordOf<ImageRecord>(await other.run(['image', '--release', '1.0.0', '--json'], { cwd: clone }));
      expect(record.imageId).toBe(released);
      expect(await readIds()).toEqual(lockedIds(clone));
    });
  });

  test('that the environment names, where the lock names none', async () => {
    await onAnotherMachine(async (other, clone) => {
      changeLock(clone, (lock) => lock.replace(`  registry: ${proxy.host}\n`, ''));
      const { stderr } = ok(await other.run(['test'], { cwd: clone, env: { GBUILD_REGISTRY: proxy.host } }));
      expect(stderr).toContain(`pulling ${proxy.host}/gbuild/${name}`);
    });
  });

  test('or not at all when it is interrupted on the way: nothing bears the name, nothing is left on disk', async () => {
    await onAnotherMachine(async (other, clone) => {
      const { layers } = await readManifest(idTag(lockedIds(clone).build));
      proxy.fault({ method: 'GET', path: new RegExp(`blobs/${layers[0]}`), action: { stallAnswer: 100_000 } });
      const running = other.start(['test'], { cwd: clone });
      await running.until('pulling');
      running.kill('SIGINT');
      const { exitCode } = await running.ended;
      expect([exitCode, readdirSync(join(other.cacheDir, 'spool'))]).toEqual([130, []]);
      expect(await listTags(engine, `gbuild/${name}`)).toEqual([]);
    });
  });

  test('unless that gives other bytes: refused, and nothing bears the name', async () => {
    await onAnotherMachine(async (other, clone) => {
      const { layers } = await readManifest(idTag(lockedIds(clone).build));
      proxy.fault({ method: 'GET', path: new RegExp(`blobs/${layers.at(-1)}`), action: { damage: 'answer' } });
      expect(errorOf(await other.run(['test'], { cwd: clone }))).toMatchInlineSnapshot(`
        "exit 3
        error: the registry REGISTRY gave other bytes than the blob sha256:ID of gbuild/TINY: its digest is sha256:ID; nothing was tagged
          try: gbuild toolchain build   # makes it here instead
        "
      `);
      expect(await listTags(engine, `gbuild/${name}`)).toEqual([]);
    });
  });

  test('unless its name was given to another image there: refused too', async () => {
    await onAnotherMachine(async (other, clone) => {
      const { build, runtime } = lockedIds(clone);
      const [right, wrong] = [await readManifest(idTag(build)), await readManifest(idTag(runtime))];
      await putManifest(idTag(build), wrong);
      expect(errorOf(await other.run(['test'], { cwd: clone }))).toMatchInlineSnapshot(`
        "exit 3
        error: REGISTRY/gbuild/TINY:id-ID is sha256:ID, but gbuild.lock names sha256:ID: somebody moved it; nothing was tagged
          try: gbuild toolchain build   # makes it here instead
          try: gbuild toolchain push   # on a machine that has the locked one
        "
      `);
      expect(await listTags(engine, `gbuild/${name}`)).toEqual([]);
      await putManifest(idTag(build), right);
    });
  });
});

describe('where the registry does not give it', { timeout: 600_000 }, () => {
  const warnings = (stderr: string) =>
    plain(stderr)
      .split('\n')
      .filter((line) => line.includes('REGISTRY') || line.includes('127.0.0.1'))
      .join('\n');

  test('because nobody answers, that is told and it is made here', async () => {
    await onAnotherMachine(async (other, clone) => {
      changeLock(clone, (lock) => lock.replace(`registry: ${proxy.host}`, 'registry: 127.0.0.1:1'));
      const { stderr } = ok(await other.run(['test'], { cwd: clone }));
      expect(warnings(stderr)).toMatchInlineSnapshot(
        `"warning: the registry 127.0.0.1:1 cannot be reached: nothing listens there (connection refused); going on without it (try: curl -v https://127.0.0.1:1/v2/)"`,
      );
    });
  });

  test('because it wants credentials that are missing, that is told and it is made here', async () => {
    await using closed = await startRegistry({ withPassword: true });
    await onAnotherMachine(async (other, clone) => {
      changeLock(clone, (lock) => lock.replace(`registry: ${proxy.host}`, `registry: ${closed.host}`));
      const { stderr } = ok(await other.run(['test'], { cwd: clone }));
      expect(warnings(stderr.replaceAll(closed.host, registry.host))).toMatchInlineSnapshot(
        `"warning: the registry REGISTRY refused to give the manifest gbuild/TINY:id-ID: it wants credentials, and there are none: authentication required (UNAUTHORIZED); going on without it (try: docker login REGISTRY)"`,
      );
    });
  });

  test('a release that would stand on another image is refused, and says who was asked', async () => {
    await onAnotherMachine(async (other, clone) => {
      changeLock(clone, (lock) => lock.replace(/runtime: sha256:\w+/, `runtime: sha256:${'1'.repeat(64)}`));
      expect(errorOf(await other.run(['image', '--release', '2.0.0'], { cwd: clone }))).toMatchInlineSnapshot(`
        "exit 2
        error: gbuild.lock names the runtime image sha256:ID, but ENGINE has sha256:ID: packages have changed since the lock was written
          REGISTRY does not have the locked one
          try: gbuild lock --update && git add gbuild.lock && git commit -m "Lock the toolchain again"
          try: or push the locked one from a machine that has it: gbuild toolchain push
        "
      `);
    });
  });
});

test('what is pushed and is not what the lock names is told, and the lock left alone', {
  timeout: 600_000,
}, async () => {
  await onAnotherMachine(async (other, clone) => {
    changeLock(clone, (lock) => lock.replace(/build: sha256:\w+/, `build: sha256:${'1'.repeat(64)}`));
    const before = readLock(clone);
    const { stderr } = ok(await other.run(['toolchain', 'push', '--registry', registry.host], { cwd: clone }));
    expect(plain(stderr)).toContain(
      'gbuild.lock names other images than ENGINE has, and colleagues need those of the lock',
    );
    expect(readLock(clone)).toBe(before);
    const errors = [
      await other.run(['toolchain', 'push'], { cwd: clone }),
      await other.run(['toolchain', 'push', 'registry.example.com/jdk:21'], { cwd: clone }),
    ];
    expect(errors.map(errorOf).join('')).toMatchInlineSnapshot(`
      "exit 2
      error: nothing says which registry to push to
        try: write "registry: registry.example.com" in gbuild.yml
        try: or add --registry registry.example.com
      exit 2
      error: registry.example.com/jdk:21 is an image that is pulled from where it is: there is nothing to push
        try: docker push registry.example.com/jdk:21   # if it is yours
      "
    `);
  });
});

test('the toolchain of a folder comes from a registry too', { timeout: 600_000 }, async () => {
  const folder = `folder-${process.pid}`;
  const cwd = cli.repository('folder', {
    'gbuild.yml': `gbuild: 1\nname: ${app}\ntoolchain: ./${folder}\ntasks: { test: cat /made }\n`,
    [`${folder}/Dockerfile`]: `FROM ${inject('baseImage')}\nRUN cat /proc/sys/kernel/random/uuid > /made\n`,
  });
  try {
    ok(await cli.run(['lock'], { cwd }));
    ok(await cli.run(['toolchain', 'push', '--registry', registry.host], { cwd }));
    const { stdout } = ok(await cli.run(['test'], { cwd }));
    await removeRepository(engine, `gbuild/folder-${folder}`);
    const pulled = ok(await cli.run(['test'], { cwd }));
    expect([pulled.stdout, pulled.stderr.includes('building')]).toEqual([stdout, false]);
    expect(pulled.stderr).toContain('pulling');
  } finally {
    await removeRepository(engine, `gbuild/folder-${folder}`);
  }
});

describe('gbuild lock --update', { timeout: 600_000 }, () => {
  // A folder's image is made in a second: no root has to be made of packages first.
  const folder = `update-${process.pid}`;
  const spec = `gbuild: 1\nname: ${app}\ntoolchain: ./${folder}\ntasks: { test: cat /made, build: cat /made }\n`;
  const reference = `gbuild/folder-${folder}`;
  const readId = async () => (await inspectImage(engine, (await listTags(engine, reference))[0]!))?.Id;
  const repository = (name: string) =>
    cli.repository(name, {
      'gbuild.yml': spec,
      [`${folder}/Dockerfile`]: `FROM ${inject('baseImage')}\nRUN cat /proc/sys/kernel/random/uuid > /made\n`,
    });
  afterAll(() => removeRepository(engine, reference));

  test('whose tests fail leaves lock and engine as they were, with the exit code of the tests', async () => {
    const cwd = repository('failing');
    ok(await cli.run(['lock'], { cwd }));
    const [lock, id] = [readLock(cwd), await readId()];
    expect(idIn(lock, 'build')).toBe(id);
    writeFileSync(join(cwd, 'gbuild.yml'), spec.replace('test: cat /made', 'test: exit 7'));
    const failed = await cli.run(['lock', '--update'], { cwd });
    expect([failed.stdout, errorOf(failed).replace(`${folder} ID12`, 'FOLDER VERSION')]).toMatchInlineSnapshot(`
      [
        "",
        "exit 7
      error: the tests fail on the new FOLDER VERSION, so gbuild.lock stays as it was: task test failed with exit code 7 (<time>)
        try: less <dir>/state/gbuild/runs/<run>/test.log
        try: gbuild lock --update --no-try   # writes it all the same
      ",
      ]
    `);
    expect(failed.stderr).toMatch(/what has changed since it was locked:\n {2}build [0-9a-f]{12} -> [0-9a-f]{12}\n/);
    expect([readLock(cwd), await readId()]).toEqual([lock, id]);
    ok(await cli.run(['lock', '--update', '--no-try'], { cwd }));
    expect(await readId()).not.toBe(id);
    expect(idIn(readLock(cwd), 'build')).toBe(await readId());
    expect(await inspectImage(engine, id!)).toBeUndefined();
  });

  test('whose tests pass writes the lock after them, and keeps where the toolchain is to be had', async () => {
    const cwd = repository('passing');
    ok(await cli.run(['lock'], { cwd }));
    ok(await cli.run(['toolchain', 'push', '--registry', proxy.host], { cwd }));
    const before = readLock(cwd);
    expect(before).toContain(`  registry: ${proxy.host}\n`);
    const { stdout, stderr } = ok(await cli.run(['lock', '--update', '--json'], { cwd }));
    expect(JSON.parse(stdout).changes).toContainEqual(expect.stringMatching(/^build [0-9a-f]{12} -> [0-9a-f]{12}$/));
    const tested = stderr.search(/^[0-9a-f-]{36}$/m);
    expect(stderr.indexOf('what has changed')).toBeLessThan(tested);
    expect(tested).toBeLessThan(stderr.indexOf('written to gbuild.lock'));
    expect(readLock(cwd)).toContain(`  registry: ${proxy.host}\n`);
    expect(idIn(readLock(cwd), 'build')).not.toBe(idIn(before, 'build'));
    expect(idIn(readLock(cwd), 'build')).toBe(await readId());
  });
});
