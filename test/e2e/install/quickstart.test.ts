import { symlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { cloneCheckout, linkPrograms } from '../../support/cli/checkout.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { listTags, removeContainer, removeRepository, tagImage } from '../../support/engines/engine-images.ts';
import { listLeft, nothingLeft } from '../../support/engines/engine-left.ts';

const engine = inject('engineHost');
const checkout = cloneCheckout();
const workDir = join(checkout.cacheDir, 'quickstart');
/** What the containers that it starts are marked with. */
const mark = `${hostname()}:${workDir}`;
const foreign = `e2e-foreign-${process.pid}`;
const quickstart = (env: Record<string, string | undefined> = { DOCKER_HOST: engine }) =>
  checkout.run('bin/quickstart', [], env);
let known: string[] = [];

beforeAll(async () => {
  known = await listTags(engine, 'node-hello');
});
afterAll(async () => {
  for (const tag of await listTags(engine, 'node-hello'))
    if (!known.includes(tag)) await askEngine(engine, 'DELETE', `/images/${tag}?force=1`);
  for (const id of (await listLeft(engine, `io.gbuild.quickstart=${mark}`)).containers)
    await removeContainer(engine, id);
  await removeRepository(engine, foreign);
  checkout[Symbol.dispose]();
});

describe('bin/quickstart on a machine with an engine', () => {
  test('tests, releases and starts the example, also twice at once, and leaves others alone', async () => {
    await tagImage(engine, inject('baseImage'), `${foreign}:1`);
    const stranger = await startIdleContainer(`${foreign}:1`, {});
    try {
      const before = await inspect(stranger);
      const results = await Promise.all([quickstart(), quickstart()]);
      for (const { exitCode, output } of results) {
        expect(exitCode, output).toBe(0);
        expect(output).toContain('ℹ pass 3');
        expect(output).toMatch(/node-hello:1\.0\.\d+ (already )?released/);
        expect(output).toMatch(/\$ curl http:\/\/127\.0\.0\.1:\d+\/\n\{"hello":"world","version":"1\.0\.1"/);
      }
      const waited = results.filter(({ output }) => output.includes('Waiting for another quickstart to end'));
      expect(waited).toHaveLength(1);
      expect(waited[0]!.output).not.toContain('Building the CLI');
      expect(await inspect(stranger)).toBe(before);
      expect(await listTags(engine, foreign)).toEqual([`${foreign}:1`]);
    } finally {
      await removeContainer(engine, stranger);
    }
  }, 900_000);

  test('says the next time that it is released already, and takes away what a killed quickstart left', async () => {
    const orphan = await startIdleContainer(inject('baseImage'), { 'io.gbuild.quickstart': mark });
    const { exitCode, output } = await quickstart();
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/node-hello:1\.0\.\d+ already released/);
    expect(output).not.toMatch(/Installing|Building the CLI|> building/);
    expect(output).not.toContain('\u001b');
    expect((await askEngine(engine, 'GET', `/containers/${orphan}/json`)).status).toBe(404);
    expect(await listLeft(engine, `io.gbuild.spec=${workDir}/node-hello/gbuild.yml`)).toEqual(nothingLeft);
    expect(await listLeft(engine, `io.gbuild.quickstart=${mark}`)).toEqual(nothingLeft);
  }, 120_000);

  test('never moves a release: an example that changed becomes the next version that is free', async () => {
    checkout.edit('examples/node-hello/src/app.js', (text) => `${text}// changed\n`);
    const { exitCode, output } = await quickstart();
    expect(exitCode, output).toBe(0);
    expect(output).toContain('1.0.1 is taken by an earlier quickstart and stays as it is');
    expect(output).toMatch(/node-hello:1\.0\.[2-9]\d* released/);
  }, 120_000);
});

describe('bin/quickstart says what to type', () => {
  const shell = ['bash', 'env', 'dirname', 'readlink', 'uname', 'tr', 'mkdir', 'flock', 'id'];

  test('where there is no git', async () => {
    const { exitCode, output } = await quickstart({ PATH: linkPrograms(join(checkout.dir, 'no-git'), shell) });
    expect([exitCode, output]).toMatchInlineSnapshot(`
      [
        2,
        "error: git is not on this machine
        try: sudo apt-get install git",
      ]
    `);
  });

  test('where there is no Node', async () => {
    const PATH = linkPrograms(join(checkout.dir, 'no-node'), [...shell, 'git']);
    const { exitCode, output } = await quickstart({ PATH, DOCKER_HOST: engine });
    expect([exitCode, output]).toMatchInlineSnapshot(`
      [
        2,
        "error: neither Node 22.13 or later, nor an older one with npm to fetch it, is on this machine
        try: sudo apt-get install nodejs npm
        try: or install Node 24 in your usual way",
      ]
    `);
  });

  test('where the engine that DOCKER_HOST names does not answer: no other one is started or installed', async () => {
    const { exitCode, output } = await quickstart({ DOCKER_HOST: 'tcp://127.0.0.1:1' });
    expect([exitCode, output]).toMatchInlineSnapshot(`
      [
        3,
        "error: cannot reach the container engine at tcp://127.0.0.1:1 (from DOCKER_HOST): connect ECONNREFUSED 127.0.0.1:1
        try: unset DOCKER_HOST   # to use the local engine
        try: gbuild doctor",
      ]
    `);
  });

  test('where DOCKER_HOST is no address of an engine', async () => {
    const { exitCode, output } = await quickstart({ DOCKER_HOST: 'smtp://127.0.0.1' });
    expect([exitCode, output]).toMatchInlineSnapshot(`
      [
        2,
        "error: DOCKER_HOST: "smtp://127.0.0.1" is not an engine address: "smtp:" is not a known scheme
        try: unix:///var/run/docker.sock
        try: tcp://127.0.0.1:2375
        try: ssh://USER@HOST",
      ]
    `);
  });
});

test('bin/gbuild works through a link from another folder, and hands over the exit code', async () => {
  symlinkSync(join(checkout.root, 'bin/gbuild'), join(checkout.dir, 'linked'));
  const version = await checkout.run('../linked', ['--version']);
  const wrong = await checkout.run('../linked', ['tset']);
  expect([version.exitCode, version.output]).toEqual([
    0,
    expect.stringMatching(/^gbuild\/\d+\.\d+\.\d+ \S+ node-v\d+/),
  ]);
  expect([wrong.exitCode, wrong.output]).toEqual([2, expect.stringContaining('try: gbuild test')]);
});

/** All that the engine tells of a container, as long as nobody touches it. */
async function inspect(id: string): Promise<string> {
  return (await askEngine(engine, 'GET', `/containers/${id}/json`)).text;
}

async function startIdleContainer(image: string, labels: Record<string, string>): Promise<string> {
  const json = { Image: image, Cmd: ['sleep', '3600'], Labels: { 'io.gbuild.test': 'quickstart', ...labels } };
  const { status, text } = await askEngine(engine, 'POST', '/containers/create', { json });
  if (status !== 201) throw new Error(`no container of ${image}: ${text}`);
  const { Id: id } = JSON.parse(text) as { Id: string };
  await askEngine(engine, 'POST', `/containers/${id}/start`);
  return id;
}
