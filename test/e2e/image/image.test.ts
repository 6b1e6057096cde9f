import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { connectEngine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { commitAll, copyOf, git, openCli } from '../../support/cli/cli.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import {
  inspectImage,
  listTags,
  removeContainer,
  removeRepository,
  startContainer,
} from '../../support/engines/engine-images.ts';
import { runScript } from '../../support/engines/run-script.ts';
import { listTracesOfRoots, writeOwnRoot } from '../../support/toolchains/own-root.ts';

const engine = inject('engineHost');
const client = connectEngine(endpointOf(engine), { owner: readOwner(), runId: `image-${process.pid}` });
const cli = openCli({ engine });
const name = `e2e-release-${process.pid}`;
const rootDir = join(cli.dir, 'hello');
const secret = 'secret-of-the-caller-6b1f9e';

/** What the caller's machine knows and no image may. */
const callerEnv = {
  AWS_SECRET_ACCESS_KEY: secret,
  npm_config__auth: secret,
  NODE_EXTRA_CA_CERTS: writeOwnRoot(join(cli.dir, 'roots.pem')),
};

let record: ImageRecord;

beforeAll(async () => {
  copyOf('examples/node-hello', rootDir, name);
  git(rootDir, 'remote', 'add', 'origin', 'https://ada:hunter2@git.example.org/ada/hello.git');
  const locked = await cli.run(['lock'], { cwd: rootDir });
  expect(locked.exitCode, locked.stderr).toBe(0);
  commitAll(rootDir, 'second');
});
afterAll(async () => {
  await removeRepository(engine, name);
  client.close();
  cli[Symbol.dispose]();
});

const release = (version: string, ...flags: string[]) =>
  cli.run(['image', '--release', version, ...flags], { cwd: rootDir, env: callerEnv });

describe('a release of the example', () => {
  test('answers a record that is complete', async () => {
    const { exitCode, stdout, stderr } = await release('1.0.1', '--json');
    expect(exitCode, stderr).toBe(0);
    record = JSON.parse(stdout) as ImageRecord;
    const digest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
    expect(record).toEqual({
      reference: `${name}:1.0.1`,
      version: '1.0.1',
      imageId: digest,
      manifestDigest: digest,
      engineId: digest,
      commit: git(rootDir, 'rev-parse', 'HEAD'),
      source: 'https://git.example.org/ada/hello.git',
      dirty: false,
      created: '2024-05-06T07:08:09Z',
      lock: `sha256:${execaSync('sha256sum', [join(rootDir, 'gbuild.lock')]).stdout.slice(0, 64)}`,
      toolchain: {
        request: 'node@^22',
        name: 'node',
        version: expect.stringMatching(/^22\.\d+\.\d+$/),
        recipe: digest,
      },
      base: {
        reference: expect.stringMatching(/^gbuild\/node:22\.\d+\.\d+-[0-9a-f]{12}-runtime$/),
        imageId: digest,
        manifestDigest: digest,
        layers: expect.any(Number),
      },
      layers: ['dependencies', 'outputs', 'application'].map((layer) => ({
        name: `gbuild layer: ${layer}`,
        diffId: digest,
        size: expect.any(Number),
      })),
      layersSent: 3,
      size: record.layers.reduce((sum, { size }) => sum + size, 0),
      alreadyReleased: false,
      seconds: expect.any(Number),
    });
  });

  test('is on the engine what the record says: id, layers, base and config', async () => {
    const [image, base] = await Promise.all([
      inspectImage(engine, record.reference),
      inspectImage(engine, record.base.reference),
    ]);
    expect([image?.Id, base?.Id]).toEqual([record.imageId, record.base.imageId]);
    expect(image?.RootFS.Layers).toEqual([...base!.RootFS.Layers, ...record.layers.map(({ diffId }) => diffId)]);
    expect(record.base.layers).toBe(base?.RootFS.Layers.length);
    expect([image?.Created, image?.Os, image?.Architecture]).toEqual([record.created, base?.Os, base?.Architecture]);
    expect(image?.Config).toMatchObject({
      User: '65532:65532',
      Entrypoint: ['node', 'dist/server.js'],
      WorkingDir: '/app',
      ExposedPorts: { '8080/tcp': {} },
      Env: base?.Config.Env,
    });
    expect(image?.Config.Cmd ?? []).toEqual([]);
  });

  test('says in its labels what it is, of what, and what it stands on; the clone it came from is not in it', async () => {
    const image = await inspectImage(engine, record.reference);
    const { version, recipe } = record.toolchain;
    expect(image?.Config.Labels).toEqual({
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.version': '1.0.1',
      'org.opencontainers.image.revision': record.commit,
      'org.opencontainers.image.created': record.created,
      'org.opencontainers.image.base.name': record.base.reference,
      'org.opencontainers.image.base.digest': record.base.manifestDigest,
      'io.gbuild.toolchain': `node@${version}`,
      'io.gbuild.recipe': recipe,
      'io.gbuild.lock': record.lock,
    });
  });

  test('answers over HTTP, as a user that is not root', async () => {
    const { id, port } = await startContainer(engine, record.reference, '8080/tcp');
    try {
      expect(await ask(`http://127.0.0.1:${port}/`)).toMatchObject({ hello: 'world', version: '1.0.1' });
    } finally {
      await removeContainer(engine, id);
    }
  });

  test('bears this one tag and no other', async () => {
    expect(await listTags(engine, name)).toEqual([`${name}:1.0.1`]);
  });

  test('again is the same image, already released', async () => {
    const { exitCode, stdout } = await release('1.0.1');
    expect([exitCode, stdout.replace(/, [\d.]+ k?B on its base, [\d.]+ s/, '')]).toEqual([
      0,
      `${record.reference} already released (${record.imageId.slice(7, 19)})\n`,
    ]);
    expect((await inspectImage(engine, record.reference))?.Id).toBe(record.imageId);
  });

  test('is refused with other content, naming layer and file, and what was released stays', async () => {
    writeFileSync(join(rootDir, 'src/version.js'), "export const version = 'other';\n");
    commitAll(rootDir, 'third');
    const { exitCode, stdout, stderr } = await release('1.0.1');
    git(rootDir, 'reset', '-q', '--hard', 'HEAD~1');
    expect([exitCode, stdout]).toEqual([2, '']);
    const known = stderr
      .slice(stderr.indexOf('error:'))
      .replaceAll(name, 'NAME')
      .replaceAll(/\b[0-9a-f]{12,64}\b/g, 'ID');
    expect(known).toMatchInlineSnapshot(`
      "error: NAME:1.0.1 is released already as ID (in the release store), and this would be ID:
        gbuild layer: application: changed app/src/version.js
        commit: ID, now ID
        try: release the change under a new version
        try: git log   # which commit was NAME:1.0.1?
      "
    `);
    expect(await listTags(engine, name)).toEqual([`${name}:1.0.1`]);
    expect((await inspectImage(engine, record.reference))?.Id).toBe(record.imageId);
    const again = await release('1.0.1', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ imageId: record.imageId, alreadyReleased: true });
  });
});

describe('what is in the image of the example', () => {
  test('nothing of the caller: no secret, no CA root, no path of the machine', async () => {
    const archive = await buffer(await client.saveImage(record.reference));
    expect(archive.includes('node-hello')).toBe(true);
    const texts = [secret, cli.dir, 'hunter2', 'git.example.org'];
    expect(texts.filter((text) => archive.includes(text))).toEqual([]);
    const traces = listTracesOfRoots();
    expect(traces.length).toBeGreaterThan(0);
    expect(traces.filter((trace) => archive.includes(trace))).toEqual([]);
  });

  test('no compiler and no package manager, and production dependencies alone', async () => {
    const script = `
      for tool in gcc cc g++ make npm npx yarn corepack apt apt-get dpkg git curl wget python3 perl; do
        if command -v $tool >/dev/null; then echo "has $tool"; fi
      done
      node -e 'console.log(fs.readdirSync("/app", { recursive: true }).sort().join("\\n"))'
      echo "$(id -u):$(id -g)"; touch /app/written 2>/dev/null && echo "can write /app"; true`;
    expect(await runScript(client, record.reference, script)).toMatchInlineSnapshot(`
      "build.js
      dist
      dist/app.js
      dist/server.js
      dist/version.js
      node_modules
      node_modules/.bin
      node_modules/ms
      node_modules/ms/index.js
      node_modules/ms/license.md
      node_modules/ms/package.json
      node_modules/ms/readme.md
      package.json
      src
      src/app.js
      src/server.js
      src/version.js
      test
      test/app.test.js
      test/server.test.js
      65532:65532
      "
    `);
  });
});

describe('without a build', () => {
  test('the outputs that are there are packed', async () => {
    writeFileSync(join(rootDir, 'dist/version.js'), "export const version = 'by hand';\n");
    const { exitCode, stderr, stdout } = await cli.run(['image', '--no-build', '--json'], { cwd: rootDir });
    expect([exitCode, stderr.includes('install-dependencies')]).toEqual([0, false]);
    const { reference } = JSON.parse(stdout) as ImageRecord;
    expect(await runScript(client, reference, 'while read -r line; do echo "$line"; done </app/dist/version.js')).toBe(
      "export const version = 'by hand';\n",
    );
  });
});

/** The answer of a service that may still be starting. */
async function ask(url: string): Promise<unknown> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await (await fetch(url)).json();
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(100);
    }
  }
}
